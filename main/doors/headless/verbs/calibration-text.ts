import type { Output } from '../../../../shared/contract.ts'
import { formatTable } from '../output.ts'

type Found = Output<'runs.calibration'>
type Model = Found['models'][number]

/** How far one reward model's margins can be trusted, for a terminal. */
export function calibrationText(model: Model): string {
  const interval = ({ low, high }: { readonly low: number; readonly high: number }): string =>
    `[${low.toFixed(3)}, ${high.toFixed(3)}]`
  return [
    `${model.pairs} labeled pairs of the ${model.side} side, under step ${model.step}`,
    `Expected calibration error ${model.ece.toFixed(3)}; a model that is calibrated would show ${model.eceByChance.toFixed(3)} on so many pairs.`,
    '',
    formatTable(
      [
        { title: 'says', right: true, text: (bin: Model['bins'][number]) => bin.confidence.toFixed(3) },
        { title: 'is right', right: true, text: (bin: Model['bins'][number]) => bin.accuracy.toFixed(3) },
        { title: '95 %', text: interval },
        { title: 'pairs', right: true, text: (bin: Model['bins'][number]) => String(bin.pairs) },
      ],
      model.bins,
    ),
    ...[model.byMargin, model.byLength].flatMap((bins, at) =>
      bins.length === 0
        ? []
        : [
            '',
            formatTable(
              [
                { title: at === 0 ? 'margin' : 'length', text: (bin: Model['byMargin'][number]) => bin.name },
                { title: 'accuracy', right: true, text: (bin: Model['byMargin'][number]) => bin.accuracy.toFixed(3) },
                { title: '95 %', text: interval },
                { title: 'pairs', right: true, text: (bin: Model['byMargin'][number]) => String(bin.pairs) },
              ],
              bins,
            ),
          ],
    ),
  ].join('\n')
}

export function ensembleText({ models, ensemble }: Found): string {
  if (ensemble === null)
    return models.length < 2
      ? 'One model is no ensemble: name several runs.'
      : 'These runs were not measured on the same held-out pairs.'
  const { single, together, disagreement, whereAgreed, whereNot } = ensemble
  const share = (value: number | null): string => (value === null ? '–' : value.toFixed(3))
  return [
    `${ensemble.models} models on ${models[0]!.pairs} labeled pairs of the ${models[0]!.side} side`,
    `alone, on average   ${single.toFixed(3)}`,
    `mean of margins     ${together.accuracy.toFixed(3)} [${together.low.toFixed(3)}, ${together.high.toFixed(3)}]`,
    `they disagree on    ${disagreement.toFixed(3)} of the pairs: right in ${share(whereNot)} there, in ${share(whereAgreed)} where all agree`,
  ].join('\n')
}
