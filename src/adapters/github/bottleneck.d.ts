/** The build of Bottleneck that Octokit's plugins use, which comes without types of its own. */
declare module 'bottleneck/light.js' {
  export { default } from 'bottleneck'
}
