-- rows: $1, $0
SELECT t.id
FROM tblinvoices AS t ORDER BY t.id ASC
 LIMIT %s, %s

-- count
SELECT /*+ MAX_EXECUTION_TIME(250) */ count(*) AS count_1 FROM tblinvoices AS t

-- items of 1 parent: ^0, 'invoice', ^1
SELECT t.description, t.qty, t.rate, t.rel_id
FROM tblitemable AS t
WHERE t.rel_id IN (%s) AND t.rel_type = %s ORDER BY t.item_order DESC, t.id ASC
 LIMIT %s

-- items of 4 parents: ^0, ^1, ^2, ^3, 'invoice', ^4
SELECT t.description, t.qty, t.rate, t.rel_id
FROM tblitemable AS t
WHERE t.rel_id IN (%s, %s, %s, %s) AND t.rel_type = %s ORDER BY t.rel_id, t.item_order DESC, t.id ASC
 LIMIT %s

-- items where there are many: ^0, ^1, ^2, ^3, 'invoice', $2, ^4
SELECT w.c0, w.c1, w.c2, w.c3
FROM (SELECT t.description AS c0, t.qty AS c1, t.rate AS c2, t.rel_id AS c3, row_number() OVER (PARTITION BY t.rel_id ORDER BY t.item_order DESC, t.id ASC) AS n
FROM tblitemable AS t
WHERE t.rel_id IN (%s, %s, %s, %s) AND t.rel_type = %s) AS w
WHERE w.n <= %s ORDER BY w.n
 LIMIT %s
