import type { FunctionConfiguration } from '@aws-sdk/client-lambda'
import { GetFunctionConfigurationCommand, LambdaClient } from '@aws-sdk/client-lambda'

import type { FunctionState } from '../../core/cause/suspects.ts'
import type { Asking } from './asking.ts'

/** What is asked of Lambda: https://docs.aws.amazon.com/lambda/latest/api/API_GetFunctionConfiguration.html */
export async function lambdaOf({ options, ask }: Asking) {
  const client = new LambdaClient(await options())
  return {
    /** A function by its name or ARN, without its code, which is not asked for. */
    function: async (name: string): Promise<FunctionConfiguration> =>
      ask('lambda:GetFunctionConfiguration', async (at) =>
        client.send(new GetFunctionConfigurationCommand({ FunctionName: name }), at),
      ),
    [Symbol.dispose]: () => client.destroy(),
  }
}

export function stateOf(
  name: string,
  {
    State: state,
    StateReason: why,
    LastUpdateStatus: update,
    LastUpdateStatusReason: updateWhy,
  }: FunctionConfiguration,
): FunctionState {
  const reason = updateWhy ?? why
  return {
    name,
    ...(state !== undefined && { state }),
    ...(update !== undefined && { update }),
    ...(reason !== undefined && reason !== '' && { reason }),
  }
}
