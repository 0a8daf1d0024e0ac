export { isBranded } from "./brand.ts";
export {
  booleanOption,
  checkOptionNames,
  choiceOption,
  ConfigError,
  describe,
  functionOption,
  integerOption,
  nearestName,
  textOption,
} from "./config-error.ts";
export { parseStreamArn, streamOption } from "./stream-option.ts";
export type { StreamArn } from "./stream-option.ts";
