-- rows: $0, '0001-01-01', $1, $2, '0001-01-01', $4, $3
SELECT t.id, t.dateadded
FROM tblleads AS t
WHERE (t.dateadded < %s AND t.dateadded >= %s OR t.dateadded >= %s) AND t.dateadded != %s AND t.dateadded >= %s ORDER BY t.id ASC
 LIMIT %s, %s

-- count: $0, '0001-01-01', $1, $2, '0001-01-01'
SET STATEMENT max_statement_time=0.250 FOR SELECT count(*) AS count_1 FROM tblleads AS t WHERE (t.dateadded < %s AND t.dateadded >= %s OR t.dateadded >= %s) AND t.dateadded != %s AND t.dateadded >= %s
