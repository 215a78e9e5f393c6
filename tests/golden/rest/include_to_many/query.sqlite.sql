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

-- items of 4 parents: ^0, ^1, ^2, ^3, 'invoice', $2, ^4, 0
SELECT c.description, c.qty, c.rate, w.r0
FROM tblitemable AS c JOIN (SELECT t.id AS k0, t.rel_id AS r0, row_number() OVER (PARTITION BY t.rel_id ORDER BY t.item_order DESC, t.id ASC) AS n
FROM tblitemable AS t
WHERE t.rel_id IN (?, ?, ?, ?) AND t.rel_type = ?) AS w ON c.id = w.k0
WHERE w.n <= ? ORDER BY w.n
 LIMIT ? OFFSET ?
