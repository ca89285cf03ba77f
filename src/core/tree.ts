/**
 * A directory, a commit, a pull request's head and a golden case are all this one value: relative POSIX paths to text.
 * Paths have no leading slash, no `.` and no `..`; they are in the order in which `compareText` sorts them.
 */
export type FileTree = ReadonlyMap<string, string>

/** Folders of which some entries alone are looked at, by the path of the folder (`''` is the root); all others are read whole. */
export type Only = ReadonlyMap<string, readonly string[]>
