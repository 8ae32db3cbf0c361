import { cutText, frame, type Frame } from './frames.js';

/** https://www.postgresql.org/docs/18/protocol-message-formats.html */
const [SSL_REQUEST, GSS_REQUEST, CANCEL_REQUEST] = [80_877_103, 80_877_104, 80_877_102];
const [MAJOR_VERSION, VERSION_SHIFT, MINOR_MASK] = [3, 16, 0xffff];

/** What a connection begins with. */
export type Opening =
  /** It asks for encryption, and continues without. */
  | { readonly kind: 'encryption' }
  | { readonly kind: 'cancel' }
  | { readonly kind: 'other' }
  | {
      readonly kind: 'session';
      readonly user: string;
      readonly database: string;
      /** Settings, in the order in which they hold. */
      readonly settings: ReadonlyMap<string, string>;
      /** To be sent where the client asked for more than this protocol has. */
      readonly negotiation: Buffer | undefined;
    };

/** `-c name=value`, `--name=value` as PGOPTIONS has them; a backslash keeps a blank. */
function settingsOfOptions(options: string): readonly (readonly [string, string])[] {
  const words = options.match(/(?:\\.|[^\s\\])+/gs) ?? [];
  const texts = words.map((word) => word.replaceAll(/\\(.)/gs, '$1')).filter((word) => word !== '-c');
  return texts.flatMap((text) => {
    const [name, ...value] = text.replace(/^(?:--|-c)/, '').split('=');
    return name === undefined || value.length === 0 ? [] : [[name.replaceAll('-', '_'), value.join('=')] as const];
  });
}

function negotiation(minor: number, unknown: readonly string[]): Buffer | undefined {
  if (minor === 0 && unknown.length === 0) return undefined;
  const head = Buffer.alloc(8);
  head.writeInt32BE(MAJOR_VERSION << VERSION_SHIFT, 0);
  head.writeInt32BE(unknown.length, 4);
  return frame('v', head, ...unknown);
}

export function readOpening({ body }: Frame): Opening {
  const code = body.length < 4 ? 0 : body.readInt32BE(0);
  if (code === SSL_REQUEST || code === GSS_REQUEST) return { kind: 'encryption' };
  if (code === CANCEL_REQUEST) return { kind: 'cancel' };
  if (code >> VERSION_SHIFT !== MAJOR_VERSION) return { kind: 'other' };
  const parameters = new Map<string, string>();
  for (let rest = body.subarray(4); rest.length > 1;) {
    const [name, afterName] = cutText(rest);
    const [value, afterValue] = cutText(afterName);
    if (name === '') break;
    parameters.set(name, value);
    rest = afterValue;
  }
  const user = parameters.get('user') ?? '';
  const known = ['user', 'database', 'options', 'replication'];
  const own = [...parameters].filter(([name]) => !known.includes(name) && !name.startsWith('_pq_.'));
  return {
    kind: 'session',
    user,
    database: parameters.get('database') ?? user,
    settings: new Map([...settingsOfOptions(parameters.get('options') ?? ''), ...own]),
    negotiation: negotiation(
      code & MINOR_MASK,
      [...parameters.keys()].filter((name) => name.startsWith('_pq_.')),
    ),
  };
}
