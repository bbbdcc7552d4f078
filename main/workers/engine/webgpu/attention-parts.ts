// What the kernels of attention share: a head's numbers in parts, and a softmax whose sum needs no second pass.

export interface AttentionShape {
  readonly heads: number
  readonly kvHeads: number
  readonly headDim: number
}

/** Text for kernels: a head is `PARTS` of a `Part`, four numbers where it is a multiple of four. */
export function partsOf(headDim: number): string {
  const four = headDim % 4 === 0
  return `
alias Part = ${four ? 'vec4<f32>' : 'f32'};
const PARTS = ${four ? headDim / 4 : headDim}u;
fn meet(a: Part, b: Part) -> f32 { return ${four ? 'dot(a, b)' : 'a * b'}; }
`
}

/** Text for kernels: of the scores so far the largest, and Σ e^(score − largest). */
export const NOTHING_SEEN = `
  var largest = -1e30;
  var total = 0.0;
`

/** Text for kernels: `sum` and `total` go on by one more `score`; what they have is made less where it is the largest (Milakov and Gimelshein, 2018). @param value of it, part d */
export function weighIn(value: string): string {
  return `
    if (score > largest) {
      let less = exp(largest - score);
      total *= less;
      for (var d = 0u; d < PARTS; d += 1u) { sum[d] *= less; }
      largest = score;
    }
    let weight = exp(score - largest);
    total += weight;
    for (var d = 0u; d < PARTS; d += 1u) { sum[d] += weight * ${value}; }`
}
