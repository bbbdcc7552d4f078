// The one import of TensorFlow.js. The whole package, because tfjs-core alone registers no gradients.
import * as tf from '@tensorflow/tfjs'

export { tf }
