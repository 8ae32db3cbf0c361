import { describe, expect, it } from 'vitest';
import { isAisecError } from '../../../src/base/errors.js';
import { parseConnectionUrl } from '../../../src/config/connection/connection-url.js';

function problemOf(url: string): string {
  try {
    parseConnectionUrl(url, 'DATABASE_URL');
  } catch (error) {
    if (isAisecError(error, 'CONFIG_INVALID')) return `${error.message}\n${error.detail ?? ''}\n${error.hint ?? ''}`;
    throw error;
  }
  throw new Error(`accepted: ${url}`);
}

describe('a connection URL', () => {
  it.each([
    ['postgres://', {}],
    ['postgresql://h', { host: 'h' }],
    ['postgres://h/', { host: 'h' }],
    ['postgres://u:p@h:5433/db', { user: 'u', password: 'p', host: 'h', port: '5433', database: 'db' }],
    [
      'postgres://u%40x:p%3A%2F%3F%23%25%40%5D@h/d%20b',
      { user: 'u@x', password: 'p:/?#%@]', host: 'h', database: 'd b' },
    ],
    ['postgres://u:a:b,c+d@h/db', { user: 'u', password: 'a:b,c+d', host: 'h', database: 'db' }],
    ['postgres://u@[2001:db8::1]:6000/db', { user: 'u', host: '2001:db8::1', port: '6000', database: 'db' }],
    ['postgres://%2Fvar%2Frun%2Fpostgresql/db', { host: '/var/run/postgresql', database: 'db' }],
    ['postgres://u@/db?host=/tmp&port=54318', { user: 'u', database: 'db', host: '/tmp', port: '54318' }],
    [
      'postgres://h/db?sslmode=verify-full&connect_timeout=3',
      { host: 'h', database: 'db', sslMode: 'verify-full', connectTimeoutSeconds: '3' },
    ],
    ['postgres://h/db?options=-c%20role%3Dapp+1', { host: 'h', database: 'db', options: '-c role=app+1' }],
    ['postgres://h/db?ssl=true', { host: 'h', database: 'db', sslMode: 'require' }],
    ['postgres://h/db?application_name=x', { host: 'h', database: 'db' }],
    ['postgres://h/db?channel_binding=require', { host: 'h', database: 'db', channelBinding: 'require' }],
    ['postgres://h1:5433,h2/db', { host: 'h1,h2', port: '5433,', database: 'db' }],
    ['postgres://h1,[::1]:6000/db', { host: 'h1,::1', port: ',6000', database: 'db' }],
    ['postgres://u@/db?host=a,b&port=1,2', { user: 'u', host: 'a,b', port: '1,2', database: 'db' }],
    ['postgres://h/db?hostaddr=10.0.0.1', { host: 'h', hostAddress: '10.0.0.1', database: 'db' }],
    ['postgres:///db?service=prod&passfile=/x', { database: 'db', service: 'prod', passFile: '/x' }],
  ])('%s is read as libpq reads it', (url, expected) => {
    expect(parseConnectionUrl(url, 'DATABASE_URL')).toEqual(expected);
  });

  it.each([
    ['', 'does not start with postgres://'],
    ['mysql://u:s3cret@h/db', 'does not start with postgres://'],
    ['u:s3cret@h/db', 'does not start with postgres://'],
    ['postgres://u:s3cret@h1:5432,h2:x/db', 'host or port'],
    ['postgres://u:s3cret@h:54x/db', 'host or port'],
    ['postgres://u:s3cret@::1/db', 'IPv6 address stands in [brackets]'],
    ['postgres://u:s3%cret@h/db', '% is %25'],
    ['postgres://u:s3%00cret@h/db', 'cannot be read as a URL'],
    ['postgres://u:s3/cret@h/db', '/ is %2F'],
    ['postgres://u:s3?cret@h/db', '? is %3F'],
    ['postgres://u:s3@cret@h/db', '@ is written %40'],
    ['postgres://u:s3 cret@h/db', 'cannot be read as a URL'],
    ['postgres://u:s3cret@h/db?sslmod=require', 'Unknown parameter "sslmod". Did you mean "sslmode"?'],
    ['postgres://u:s3cret@h/db?schema=x', 'Unknown parameter "schema"'],
    ['postgres://u:s3cret@h/db?sslmode', 'The parameter "sslmode" has no single value'],
  ])('%s is refused, and no part of the password is repeated', (url, expected) => {
    const problem = problemOf(url);
    expect(problem).toContain('invalid database URL in DATABASE_URL');
    expect(problem).toContain(expected);
    expect(problem).not.toMatch(/s3|cret/);
  });
});
