-- rows: $0, $1, $2, $3
SELECT t.id, t.dateadded
FROM tblleads AS t
WHERE t.dateadded >= ? AND t.dateadded < ? ORDER BY t.id ASC
 LIMIT ? OFFSET ?

-- count: $0, $1
SELECT count(*) AS count_1 FROM tblleads AS t WHERE t.dateadded >= ? AND t.dateadded < ?
