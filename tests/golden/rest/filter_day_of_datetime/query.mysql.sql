-- rows: $0, $1, '0001-01-01', $3, $2
SELECT t.id, t.dateadded
FROM tblleads AS t
WHERE t.dateadded >= %s AND t.dateadded < %s AND t.dateadded >= %s ORDER BY t.id ASC
 LIMIT %s, %s

-- count: $0, $1, '0001-01-01'
SELECT /*+ MAX_EXECUTION_TIME(250) */ count(*) AS count_1 FROM tblleads AS t WHERE t.dateadded >= %s AND t.dateadded < %s AND t.dateadded >= %s
