-- lock: $0
SELECT t.id
FROM tblnotes AS t
WHERE t.id = %s FOR UPDATE

-- step 0: $0
DELETE FROM tblnotes WHERE tblnotes.id = %s
