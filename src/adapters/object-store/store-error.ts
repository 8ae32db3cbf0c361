import { formatDurationMs } from '../../base/duration.js';
import { AisecError, messageOf, type ErrorCode } from '../../base/errors.js';
import { storeUrl, type StorePlace } from '../../config/store-url.js';

interface StoreFailure {
  readonly name?: string;
  readonly code?: string;
  /** Of an answer in the form of S3 only. */
  readonly Code?: string;
  readonly $metadata?: { readonly httpStatusCode?: number };
  readonly $response?: { readonly headers?: Readonly<Record<string, string>> };
  /** Of one that is not XML. */
  readonly $responseBodyText?: string;
}

interface Kind {
  readonly code: ErrorCode;
  readonly message: (what: string, where: string, endpoint: string) => string;
  readonly hint: string;
}

const UNREACHABLE: Kind = {
  code: 'STORE_UNREACHABLE',
  message: (what, _, endpoint) => `could not ${what}: ${endpoint} does not answer`,
  hint: 'Check the endpoint and the network, and run the command again.',
};
const BUSY: Kind = {
  code: 'STORE_UNREACHABLE',
  message: (what, _, endpoint) => `could not ${what}: ${endpoint} answers that it is not available`,
  hint: 'It is too busy, restarted or under maintenance. Run the command again in some minutes.',
};
const REFUSED: Kind = {
  code: 'STORE_AUTH',
  message: (what, where) => `could not ${what}: ${where} refuses the key`,
  hint: 'Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE, to a key that may list, read, write and delete there.',
};
const FORBIDDEN: Kind = {
  code: 'STORE_AUTH',
  message: (what, where) => `could not ${what}: the key has no right to do that in ${where}`,
  hint: 'Allow s3:ListBucket for the bucket, and s3:GetObject, s3:PutObject and s3:DeleteObject for its objects; docs/backups.md has the policy.',
};
const CLOCK: Kind = {
  code: 'STORE_AUTH',
  message: (what, where) => `could not ${what}: the clock of this machine and that of ${where} differ too much`,
  hint: 'Set the clock: timedatectl set-ntp true',
};
const EXPIRED: Kind = {
  code: 'STORE_AUTH',
  message: (what, where) => `could not ${what}: the key for ${where} is only for some time, which is over`,
  hint: 'Get new credentials, with their AWS_SESSION_TOKEN: aws sso login, or however these came.',
};
const NO_KEY: Kind = {
  code: 'STORE_AUTH',
  message: (what, where) => `could not ${what}: there is no key for ${where}`,
  hint: 'Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE.',
};
const NO_BUCKET: Kind = {
  code: 'STORE_MISSING',
  message: (what, where) => `could not ${what}: there is no bucket for ${where}`,
  hint: 'Make the bucket, or give another one. aisec makes none.',
};
const NO_SPACE: Kind = {
  code: 'DISK_FULL',
  message: (what, where) => `could not ${what}: ${where} takes no more`,
  hint: 'Raise the quota or remove old objects, and run the command again.',
};
const REGION: Kind = {
  code: 'CONFIG_INVALID',
  message: (what, where) => `could not ${what}: the region of ${where} is another one, or not set`,
  hint: 'Set AWS_REGION to the region of the bucket.',
};
const OTHER: Kind = {
  code: 'STORE_FAILED',
  message: (what, where) => `could not ${what}: ${where} failed`,
  hint: 'Run the command again; the status page or the log of the store says more.',
};

/** By the error's name, its code or the HTTP status; the first that fits. */
const KINDS: readonly (readonly [pattern: RegExp, kind: Kind])[] = [
  [/^(CredentialsProviderError|TokenProviderError)$/, NO_KEY],
  [/TimeTooSkewed/, CLOCK],
  [/^(ExpiredToken|RequestExpired|TokenRefreshRequired)/, EXPIRED],
  [/^(NoSuchBucket)$/, NO_BUCKET],
  [/Quota|InsufficientStorage|EntityTooLarge|^(413|507)$|XMinioStorageFull/, NO_SPACE],
  [/^(PermanentRedirect|AuthorizationHeaderMalformed|IllegalLocationConstraintException|301)$/, REGION],
  [/^(SlowDown|ServiceUnavailable|TooManyRequests|429|50[234])$/, BUSY],
  [/^(E[A-Z_]+|TimeoutError|NetworkingError)$|CERT|SELF_SIGNED/, UNREACHABLE],
  [/^AccessDenied$/, FORBIDDEN],
  [/^(401|403)$|AccessDenied|InvalidAccessKey|SignatureDoesNotMatch|InvalidToken/, REFUSED],
];

function kindOf(error: StoreFailure, message: string): Kind {
  if (/Region is missing/.test(message)) return REGION;
  const signs = [error.name, error.code, String(error.$metadata?.httpStatusCode ?? '')];
  return KINDS.find(([pattern]) => signs.some((sign) => sign !== undefined && pattern.test(sign)))?.[1] ?? OTHER;
}

/** Of a store that takes connections and sends nothing; the SDK's own text names its parts instead. */
function silenceText(message: string): string | undefined {
  const [, idleMs] = /(\d+) ms of inactivity/.exec(message) ?? [];
  if (idleMs === undefined) return undefined;
  return `It took the connection and was silent for ${formatDurationMs(Number(idleMs))} (AISEC_STORE_TIMEOUT), each time it was asked.`;
}

/** What something else than a store answers at such an address, unlike a refusal, which some stores write as a page, too. */
function isNoStore({ Code, $metadata, $response }: StoreFailure): boolean {
  const status = $metadata?.httpStatusCode ?? 0;
  const type = $response?.headers?.['content-type'] ?? '';
  return (
    Code === undefined && /html|text\/plain|json/.test(type) && status < 500 && ![401, 403, 408, 429].includes(status)
  );
}

/** What the answer says by itself: the SDK's own text for one that is not XML is about the SDK. */
function saidBy(error: StoreFailure, message: string): string | undefined {
  // The answer to a HEAD has no text.
  if (/^(Unknown(Error)?)?$/.test(message)) return undefined;
  if (!message.startsWith('@aws-sdk ')) return message;
  const text = error.$responseBodyText?.trim() ?? '';
  return /^[^<\n]{1,200}$/.test(text) ? text : undefined;
}

/** The toolkit's error for what the SDK threw. Its messages name keys at most by their id, and those are left out. */
export function storeError(thrown: unknown, what: string, place: StorePlace): AisecError {
  const error = (thrown ?? {}) as StoreFailure;
  const message = messageOf(thrown);
  const isGeneral = /^(Error|AggregateError|Unknown(Error)?)$/.test(error.name ?? '');
  const status = error.$metadata?.httpStatusCode;
  if (isNoStore(error)) return noStoreError(what, place, `HTTP status ${status}`);
  const kind = kindOf(error, message);
  const endpoint = place.endpoint ?? 'Amazon S3';
  const sign = isGeneral ? (error.code ?? (status === undefined ? undefined : `HTTP status ${status}`)) : error.name;
  const described = [sign, saidBy(error, message)].filter((part) => part !== undefined && part !== '').join(': ');
  return new AisecError(kind.code, kind.message(what, storeUrl(place), endpoint), {
    detail: silenceText(message) ?? (described === '' ? undefined : `${described.replace(/\.$/, '')}.`),
    hint: kind.hint,
    cause: thrown,
  });
}

/** Something answers that is not a store: the login page of a network, the console of a store, or a server that wants HTTPS. */
export function noStoreError(what: string, place: StorePlace, status?: string): AisecError {
  return new AisecError(
    'STORE_UNREACHABLE',
    `could not ${what}: what answers at ${place.endpoint ?? 'Amazon S3'} is not an S3-compatible store`,
    {
      detail: `Its answer${status === undefined ? '' : ` (${status})`} has nothing of what a store says, such as the page of a proxy or of a console.`,
      hint: 'Check the endpoint, https or http, its port and the network: --endpoint or AWS_ENDPOINT_URL is the address of the S3 interface.',
    },
  );
}
