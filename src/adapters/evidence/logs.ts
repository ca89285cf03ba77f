import { CloudWatchLogsClient, DescribeLogStreamsCommand, GetLogEventsCommand } from '@aws-sdk/client-cloudwatch-logs'

import type { Asking } from './asking.ts'
import { Unseen } from './asking.ts'

/** More than is shown: a secret of several lines is known by its first. */
const mostEvents = 100

/** What is asked of CloudWatch Logs: https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/ */
export async function logsOf({ options, ask }: Asking, region?: string) {
  const client = new CloudWatchLogsClient({ ...(await options()), ...(region !== undefined && { region }) })
  /** Who has not written anything yet has no stream, and a function that never ran no group. */
  const orNone = async (run: () => Promise<readonly string[]>): Promise<readonly string[]> => {
    try {
      return await run()
    } catch (error) {
      if (error instanceof Unseen && error.missing) return []
      throw error
    }
  }
  const tail = async (logGroupName: string, logStreamName: string): Promise<readonly string[]> =>
    orNone(async () => {
      const { events = [] } = await ask('logs:GetLogEvents', async (at) =>
        client.send(
          new GetLogEventsCommand({ logGroupName, logStreamName, limit: mostEvents, startFromHead: false }),
          at,
        ),
      )
      return events.map(({ message = '' }) => message)
    })
  return {
    /** The last messages of a stream, oldest first; none where there is no such stream. */
    tail,
    /** Those of the stream of a group that was written to last. */
    newestTail: async (logGroupName: string): Promise<readonly string[]> =>
      orNone(async () => {
        const { logStreams = [] } = await ask('logs:DescribeLogStreams', async (at) =>
          client.send(
            new DescribeLogStreamsCommand({ logGroupName, orderBy: 'LastEventTime', descending: true, limit: 1 }),
            at,
          ),
        )
        const [newest] = logStreams
        return newest?.logStreamName === undefined ? [] : tail(logGroupName, newest.logStreamName)
      }),
    [Symbol.dispose]: () => client.destroy(),
  }
}
