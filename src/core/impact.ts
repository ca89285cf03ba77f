export { impactOf } from './impact/compare.ts'
export type {
  Consumer,
  ConsumerRendering,
  ConsumerUnit,
  Impact,
  ImpactWord,
  Loss,
  StageImpact,
} from './impact/model.ts'
export { consumerReference, renderConsumer } from './impact/render.ts'
