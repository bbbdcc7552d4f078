// The one import of TensorFlow.js. The whole package, because tfjs-core alone registers no gradients.
import * as tf from '@tensorflow/tfjs'

// Otherwise the cpu backend advertises another package on the first operation.
tf.enableProdMode()

export { tf }
