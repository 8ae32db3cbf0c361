-- Takes from this session what statements before it have left: roles, cursors, prepared statements, channels, temporary
-- tables, settings. Advisory locks have a query of their own, since the lock of the run must stay.
-- Parameters: none; several statements
-- Needs:      nothing
reset session authorization;
reset role;
close all;
deallocate all;
unlisten *;
discard temp;
discard sequences;
reset all;
