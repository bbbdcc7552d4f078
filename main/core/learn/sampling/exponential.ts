// e^x without a call out of compiled code. On Intel's processors the C library's own, called after 256-bit kernels, waits
// some 170 ns for the upper halves of the registers, which nothing clears on the way; compiled JavaScript does not.
const STEPS = 1024
/** 2^(i / 1024) */
const POWERS = Float64Array.from({ length: STEPS }, (_none, step) => 2 ** (step / STEPS))
const PER_UNIT = STEPS / Math.LN2
/** What the double nearest to ln 2 lacks. */
const LN2_REST = 2.3190468138462996e-17
/** ln 2 / 1024 in two parts, the first with trailing zeros so that its products are exact. */
const WIDTH_HIGH = Math.fround(Math.LN2 / STEPS)
const WIDTH_LOW = (Math.LN2 - STEPS * WIDTH_HIGH + LN2_REST) / STEPS
/** Below it e^x is subnormal, and counts as nothing beside the largest weight. */
const SMALLEST = -708

const double = new Float64Array(1)
const words = new Int32Array(double.buffer) // little-endian, as every machine that Node runs on

/** e^x for x ≤ 0, within 10⁻¹⁵ of its size; 0 below −708. Cut in 1/1024 of an octave, the rest by its series. */
export function expOfNegative(x: number): number {
  if (!(x >= SMALLEST)) return 0
  const step = Math.floor(x * PER_UNIT + 0.5)
  const rest = x - step * WIDTH_HIGH - step * WIDTH_LOW
  const place = step & (STEPS - 1)
  words[1] = ((step - place) / STEPS + 1023) << 20
  words[0] = 0
  return double[0]! * POWERS[place]! * (1 + rest * (1 + rest * (0.5 + rest * (1 / 6 + rest * (1 / 24)))))
}
