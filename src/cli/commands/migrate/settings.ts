export { migrateSettings } from '../../migrate-settings.js';
