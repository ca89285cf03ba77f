import type { FleetHost } from '../../ports.ts'
import type { ClientOptions } from './client.ts'
import { newSize } from './fleet/batches.ts'
import { fleetClient } from './fleet/client.ts'
import { discover } from './fleet/discover.ts'
import { lookAt, readFiles, readOutcomes, readRepositories } from './fleet/read.ts'
import { writeAll } from './fleet/write.ts'

/** The repositories that a token reaches, read and written by GraphQL wherever that asks for many at once. */
export function fleetOf(options: Omit<ClientOptions, 'repository'>): FleetHost {
  const client = fleetClient(options)
  // How many GitHub manages at once is learned by each kind of reading by itself.
  const sizes = { files: newSize(), read: newSize(), look: newSize(50) }
  return {
    repositories: async (where, owner) => discover(client, { where, owner }),
    files: (repositories, paths) => readFiles(client, repositories, { paths, size: sizes.files }),
    read: (repositories, { paths, prefix }) =>
      readRepositories(client, repositories, { paths, prefix, size: sizes.read }),
    look: (wanted) => lookAt(client, wanted, { size: sizes.look }),
    outcomes: async (wanted) => readOutcomes(client, wanted),
    write: (wanted, pace) => writeAll(client, wanted, pace),
  }
}
