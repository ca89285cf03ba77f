/**
 * Stands in for `@smithy/core/event-streams` (13 kB): answers that come event by event, of which CloudFormation, STS and SSO
 * have none.
 */
export const eventStreamSerdeProvider = (): undefined => undefined

export function resolveEventStreamSerdeConfig<T>(config: T): T {
  return config
}

export function EventStreamSerde(): never {
  throw new Error('Streams of events are left out of the build.')
}
