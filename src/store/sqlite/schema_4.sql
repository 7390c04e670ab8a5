-- Version 4: times may be as late as 9999-12-31T23:59:59.999Z. SQLite changes a CHECK constraint only in
-- the text of the table, which needs no change of the rows (https://sqlite.org/lang_altertable.html,
-- section 7).

PRAGMA writable_schema = ON;
UPDATE sqlite_schema SET sql = replace(sql, '253402207200000', '253402300799999') WHERE type = 'table';
PRAGMA writable_schema = RESET;
