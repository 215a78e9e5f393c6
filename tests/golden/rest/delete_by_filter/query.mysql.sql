-- # choose
-- rows: $0, $1, $2, $3
SELECT t.id
FROM tbltags AS t
WHERE t.id IN (%s, %s, %s) ORDER BY t.id ASC
 LIMIT %s FOR UPDATE

-- # then each
-- lock: $0
SELECT t.id
FROM tbltags AS t
WHERE t.id = %s FOR UPDATE

-- step 0: $0
DELETE FROM tbltaggables WHERE EXISTS (SELECT 1
FROM tbltags AS tbltaggables_1
WHERE tbltaggables_1.id = %s AND tbltaggables_1.id = tbltaggables.tag_id)

-- step 1: $0
DELETE FROM tbltags WHERE tbltags.id = %s
