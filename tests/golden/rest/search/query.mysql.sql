-- rows: $0, $1, $2, $3, $4, $6, $5
SELECT t.userid, t.company
FROM tblclients AS t
WHERE t.company LIKE %s ESCAPE '|' OR t.vat LIKE %s ESCAPE '|' OR t.phonenumber LIKE %s ESCAPE '|' OR t.city LIKE %s ESCAPE '|' OR t.website LIKE %s ESCAPE '|' ORDER BY t.userid ASC
 LIMIT %s, %s

-- count: $0, $1, $2, $3, $4
SELECT /*+ MAX_EXECUTION_TIME(250) */ count(*) AS count_1 FROM tblclients AS t WHERE t.company LIKE %s ESCAPE '|' OR t.vat LIKE %s ESCAPE '|' OR t.phonenumber LIKE %s ESCAPE '|' OR t.city LIKE %s ESCAPE '|' OR t.website LIKE %s ESCAPE '|'
