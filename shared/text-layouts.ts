/** How prompts and completions become tokens: by the model's chat template, by Pairlab's own tags, or as they stand. */
export const TEXT_LAYOUTS = ['template', 'tags', 'plain'] as const
export type TextLayout = (typeof TEXT_LAYOUTS)[number]

/** How text is written, for the person. */
export const LAYOUT_WORDS: Readonly<Record<TextLayout, string>> = {
  template: 'by the model’s chat template',
  tags: 'in Pairlab’s own tags',
  plain: 'as it stands',
}
