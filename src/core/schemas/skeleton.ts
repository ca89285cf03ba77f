import type { DataMap } from '../data.ts'

/** `v<major>/skeleton.yaml` of a template. */
export const skeletonSchema: DataMap = {
  title: 'Protium skeleton',
  type: 'object',
  additionalProperties: false,
  properties: {
    files: {
      type: 'object',
      description: 'Who has the say over each file of `skeleton/`, by its path there; `docs/` is all in a folder.',
      additionalProperties: {
        enum: ['managed', 'merge', 'seed', 'block'],
        description:
          'managed: the template. merge: both, the default. seed: written once, then left alone. block: the lines between two marks.',
      },
    },
  },
}
