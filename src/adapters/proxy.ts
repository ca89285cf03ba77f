import { Refused } from '../core/problem.ts'

/** The proxy that the environment names, by the names and rules of Node's own proxy support, for agents and for `fetch`. */
export type Proxy = { readonly http_proxy?: string; readonly https_proxy?: string; readonly no_proxy: string }

type Variables = Readonly<Record<string, string | undefined>>

/**
 * The addresses at which a machine or a container is told who it is. They lead nowhere but from the machine itself.
 * https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/instancedata-data-retrieval.html
 */
const ofTheMachine = ['169.254.169.254', '169.254.170.2', '169.254.170.23', 'fd00:ec2::254']

/**
 * What the variables of a runner behind a proxy say; nothing where they name none. The names are those that a runner takes:
 * https://docs.github.com/en/actions/how-tos/manage-runners/self-hosted-runners/use-proxy-servers. There a host in `no_proxy`
 * stands for all below it, too.
 */
export function proxyOf(env: Variables): Proxy | undefined {
  const [http, https] = [address(env, 'http_proxy'), address(env, 'https_proxy')]
  const without = (variable(env, 'no_proxy') ?? '').split(/[\s,]+/u).filter((host) => host !== '')
  if ((http === undefined && https === undefined) || without.includes('*')) return undefined
  const below = without.filter((host) => /^[a-z]/iu.test(host)).map((host) => `.${host}`)
  return {
    ...(http !== undefined && { http_proxy: http }),
    ...(https !== undefined && { https_proxy: https }),
    no_proxy: [...without, ...below, ...ofTheMachine].join(','),
  }
}

/**
 * Sends what this process asks of others by `fetch` or without an agent of its own through the proxy that the environment
 * names, from here on. Throws `Refused` (`proxy-unusable`) where this Node cannot do that, which some of the first 24 cannot.
 */
export async function useProxy(env: Variables): Promise<void> {
  const proxy = proxyOf(env)
  // Node does it by itself where it was told to before it began.
  if (proxy === undefined || env.NODE_USE_ENV_PROXY === '1') return
  const { default: http } = await import('node:http')
  if (typeof http.setGlobalProxyFromEnv !== 'function') {
    throw new Refused(
      'proxy-unusable',
      `Node ${process.versions.node} of this runner learns of a proxy only when it begins.`,
      {
        remedy: 'Set `NODE_USE_ENV_PROXY: 1` in `env:` of the job, or on the runner; or update the runner.',
      },
    )
  }
  http.setGlobalProxyFromEnv(proxy)
}

function address(env: Variables, name: string): string | undefined {
  const value = variable(env, name)
  if (value === undefined) return undefined
  const whole = /^[a-z][a-z0-9+.-]*:\/\//iu.test(value) ? value : `http://${value}`
  // What it says may hold a password, so it is not shown.
  if (!URL.canParse(whole) || !/^https?:$/u.test(new URL(whole).protocol)) {
    throw new Refused('proxy-unusable', `The variable ${name} does not hold the address of a proxy.`, {
      remedy: `Write it as \`http://host:port\`, or leave \`${name}\` empty where there is no proxy.`,
    })
  }
  return whole
}

/** A variable by its name in small letters, or else in capitals. */
function variable(env: Variables, name: string): string | undefined {
  return [env[name], env[name.toUpperCase()]].find((value) => value !== undefined && value.trim() !== '')?.trim()
}
