export const OWNER_HINT =
  'Run it as the owner of the tables, the role that runs `aisec migrate up`. Do they have several owners? aisec doctor --only mixed-owners';
