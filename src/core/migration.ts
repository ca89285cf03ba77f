/** Migrations: how the inputs of a consumer become those of a newer version of its template. */
export { checkMigrations } from './migration/examples.ts'
export { migrate, migrationsBetween } from './migration/migrate.ts'
export type { Ask, Block, ChangedDefault, Consumer, Migrated, Migration, Shown, Step } from './migration/model.ts'
export { coversInput, proposeMigration } from './migration/propose.ts'
export { readMigrations } from './migration/read.ts'
export { consumerOf, upgradeSpec } from './migration/upgrade.ts'
