import type { Random } from '../learn/random.ts'

const ROUNDS = 100

/** k-means by Lloyd's algorithm from k-means++ seeds (Arthur and Vassilvitskii 2007). @returns cluster of each vector */
export function kMeans(vectors: readonly Float32Array[], k: number, random: Random): number[] {
  const first = vectors[Math.floor(random.uniform() * vectors.length)]!
  const centres: Float64Array[] = [Float64Array.from(first)]
  const nearest = vectors.map((vector) => distance(vector, centres[0]!))
  while (centres.length < Math.min(k, vectors.length)) {
    const total = nearest.reduce((sum, value) => sum + value, 0)
    let left = random.uniform() * total
    let chosen = nearest.findIndex((value) => (left -= value) <= 0 && value > 0)
    if (chosen < 0) chosen = nearest.indexOf(Math.max(...nearest))
    const centre = Float64Array.from(vectors[chosen]!)
    centres.push(centre)
    vectors.forEach((vector, at) => (nearest[at] = Math.min(nearest[at]!, distance(vector, centre))))
  }
  let assigned: number[] = []
  for (let round = 0; round < ROUNDS; round += 1) {
    const next = vectors.map((vector) => {
      const apart = centres.map((centre) => distance(vector, centre))
      return apart.indexOf(Math.min(...apart))
    })
    if (next.every((cluster, at) => cluster === assigned[at])) break
    assigned = next
    centres.forEach((centre, cluster) => {
      const members = vectors.filter((_vector, at) => next[at] === cluster)
      if (members.length === 0) return
      centre.fill(0)
      for (const member of members) member.forEach((value, at) => (centre[at]! += value / members.length))
    })
  }
  return assigned
}

function distance(a: Float32Array, b: Float64Array): number {
  let sum = 0
  for (let at = 0; at < a.length; at += 1) sum += (a[at]! - b[at]!) ** 2
  return sum
}

/** Harmonic mean of homogeneity and completeness (Rosenberg and Hirschberg 2007): 1 where clusters are the classes. */
export function vMeasure(classes: readonly string[], clusters: readonly number[]): number {
  const n = classes.length
  const both = count(classes.map((name, at) => `${clusters[at]!}/${name}`))
  const [byClass, byCluster] = [count(classes), count(clusters.map(String))]
  const entropy = (counts: ReadonlyMap<string, number>): number =>
    -[...counts.values()].reduce((sum, of) => sum + (of / n) * Math.log(of / n), 0)
  const [ofClasses, ofClusters, joint] = [entropy(byClass), entropy(byCluster), entropy(both)]
  const homogeneity = ofClasses === 0 ? 1 : 1 - (joint - ofClusters) / ofClasses
  const completeness = ofClusters === 0 ? 1 : 1 - (joint - ofClasses) / ofClusters
  return homogeneity + completeness === 0 ? 0 : (2 * homogeneity * completeness) / (homogeneity + completeness)
}

function count(values: readonly string[]): Map<string, number> {
  const counts = new Map<string, number>()
  for (const value of values) counts.set(value, (counts.get(value) ?? 0) + 1)
  return counts
}
