-- rows: $0, $1
SELECT t.id
FROM tblinvoices AS t ORDER BY t.id ASC
 LIMIT ? OFFSET ?

-- count
SELECT count(*) AS count_1 FROM tblinvoices AS t

-- items of 1 parent: ^0, 'invoice', ^1, 0
SELECT t.description, t.qty, t.rate, t.rel_id
FROM tblitemable AS t
WHERE t.rel_id IN (?) AND t.rel_type = ? ORDER BY t.item_order DESC, t.id ASC
 LIMIT ? OFFSET ?

-- items of 4 parents: ^0, ^1, ^2, ^3, 'invoice', ^4, 0
SELECT t.description, t.qty, t.rate, t.rel_id
FROM tblitemable AS t
WHERE t.rel_id IN (?, ?, ?, ?) AND t.rel_type = ? ORDER BY t.rel_id, t.item_order DESC, t.id ASC
 LIMIT ? OFFSET ?

-- items where there are many: ^0, ^1, ^2, ^3, 'invoice', $2, ^4, 0
SELECT w.c0, w.c1, w.c2, w.c3
FROM (SELECT t.description AS c0, t.qty AS c1, t.rate AS c2, t.rel_id AS c3, row_number() OVER (PARTITION BY t.rel_id ORDER BY t.item_order DESC, t.id ASC) AS n
FROM tblitemable AS t
WHERE t.rel_id IN (?, ?, ?, ?) AND t.rel_type = ?) AS w
WHERE w.n <= ? ORDER BY w.n
 LIMIT ? OFFSET ?
