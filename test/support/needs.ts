/** What the title of a test says when it needs more than the embedded database; the closing line counts by it. */
export const needsServer = '(needs a PostgreSQL server)';
export const needsRedis = '(needs Redis)';
export const needsPrivateServer = '(needs a PostgreSQL server of its own)';
export const needsStore = '(needs an S3-compatible store and age)';
export const needsBrowser = '(needs Chromium)';
/** Not in CI: a cluster of AISEC_TEST_CITUS_URL; see docs/scale.md. */
export const needsCitus = '(needs Citus)';
