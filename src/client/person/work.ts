// All that exporting and erasing a person needs, in one piece that is loaded when a person is exported or erased.
export { parseAge } from '../../base/age.js';
export { forgetUserAt } from '../../features/cache/index.js';
export { eraseUser, exportUser } from '../../features/user/index.js';
export { withPersonSession } from './person-session.js';
