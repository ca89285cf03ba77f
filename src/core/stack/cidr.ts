/** A block of addresses: 32 or 128 bits, of which the first `length` are the network's. */
type Block = { readonly address: bigint; readonly length: number; readonly bits: 32 | 128 }

export type Divided =
  | { readonly ok: true; readonly blocks: readonly string[] }
  | { readonly ok: false; readonly message: string }

/**
 * `Fn::Cidr`: the first `count` blocks with `hostBits` bits for hosts (8 gives IPv4 blocks of /24, IPv6 blocks of /120)
 * inside a block. https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/intrinsic-function-reference-cidr.html
 */
export function divideBlock(text: string, options: { readonly count: number; readonly hostBits: number }): Divided {
  const { count, hostBits } = options
  const block = readBlock(text)
  if (block === undefined) return { ok: false, message: `"${text}" is not a block of addresses` }
  const length = block.bits - hostBits
  if (hostBits < 1 || length < block.length) {
    return { ok: false, message: `${hostBits} bits for hosts do not fit into ${text}` }
  }
  const there = 1n << BigInt(length - block.length)
  if (BigInt(count) > there) {
    return { ok: false, message: `${text} holds ${there} block${there === 1n ? '' : 's'} of /${length}, not ${count}` }
  }
  const size = 1n << BigInt(hostBits)
  const blocks = Array.from({ length: count }, (_, index) => {
    const address = block.address + BigInt(index) * size
    return `${block.bits === 32 ? ipv4Text(address) : ipv6Text(address)}/${length}`
  })
  return { ok: true, blocks }
}

function readBlock(text: string): Block | undefined {
  const match = /^([^/]+)\/(\d{1,3})$/.exec(text)
  const [, host = '', written = ''] = match ?? []
  const bits = host.includes(':') ? 128 : 32
  const address = bits === 128 ? readIpv6(host) : readIpv4(host)
  const length = Number(written)
  if (match === null || address === undefined || length > bits) return undefined
  const mask = ((1n << BigInt(length)) - 1n) << BigInt(bits - length)
  return { address: address & mask, length, bits }
}

function readIpv4(text: string): bigint | undefined {
  const parts = text.split('.')
  if (parts.length !== 4) return undefined
  let address = 0n
  for (const part of parts) {
    if (!/^(0|[1-9]\d{0,2})$/.test(part) || Number(part) > 255) return undefined
    address = (address << 8n) | BigInt(part)
  }
  return address
}

function readIpv6(text: string): bigint | undefined {
  const halves = text.split('::')
  if (halves.length > 2) return undefined
  const [head = [], tail = []] = halves.map((half) => (half === '' ? [] : half.split(':')))
  const missing = 8 - head.length - tail.length
  if (halves.length === 2 ? missing < 1 : missing !== 0) return undefined
  const groups = [...head, ...Array.from({ length: missing }, () => '0'), ...tail]
  let address = 0n
  for (const group of groups) {
    if (!/^[0-9a-fA-F]{1,4}$/.test(group)) return undefined
    address = (address << 16n) | BigInt(`0x${group}`)
  }
  return address
}

function ipv4Text(address: bigint): string {
  return [24n, 16n, 8n, 0n].map((shift) => (address >> shift) & 255n).join('.')
}

/** As RFC 5952 writes it: no leading zeros, the longest run of two or more zero groups as `::`. */
function ipv6Text(address: bigint): string {
  const groups = Array.from({ length: 8 }, (_, index) => (address >> BigInt(112 - 16 * index)) & 0xffffn)
  const text = groups.map((group) => group.toString(16)).join(':')
  const runs = [...text.matchAll(/(?:^|:)0(?::0)+(?=:|$)/g)].map((match) => match[0])
  const longest = runs.toSorted((a, b) => b.length - a.length)[0]
  if (longest === undefined) return text
  const from = text.indexOf(longest)
  return `${text.slice(0, from)}::${text.slice(from + longest.length).replace(/^:/, '')}`
}
