export { isBranded } from "./brand.ts";
export {
  booleanOption,
  checkOptionNames,
  choiceOption,
  clientOption,
  ConfigError,
  describe,
  functionOption,
  integerOption,
  nearestName,
  signalOption,
  textOption,
} from "./config-error.ts";
export { parseStreamArn, streamOption } from "./stream-option.ts";
export type { StreamArn } from "./stream-option.ts";
