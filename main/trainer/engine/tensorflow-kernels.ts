/** The decoder's operations in TensorFlow's own, where that takes fewer launches than the plain form. */
export function registerTensorflowKernels(): void {
  // Filled in by measurement.
}
