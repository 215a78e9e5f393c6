-- lock: $0
SELECT t.id
FROM tblexpenses_categories AS t
WHERE t.id = ?

-- dependants: expenses: $0, $1, 0
SELECT 1
FROM tblexpenses AS t
WHERE EXISTS (SELECT 1
FROM tblexpenses_categories AS t_1
WHERE t_1.id = ? AND t_1.id = t.category)
 LIMIT ? OFFSET ?

-- step 0: $0
DELETE FROM tblexpenses_categories WHERE tblexpenses_categories.id = ?
