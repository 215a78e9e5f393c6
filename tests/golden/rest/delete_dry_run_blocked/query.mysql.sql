-- lock: $0
SELECT t.id
FROM tblexpenses_categories AS t
WHERE t.id = %s FOR UPDATE

-- dependants: expenses: $0, $1
SELECT 1
FROM tblexpenses AS t
WHERE EXISTS (SELECT 1
FROM tblexpenses_categories AS t_1
WHERE t_1.id = %s AND t_1.id = t.category)
 LIMIT %s

-- step 0: $0
DELETE FROM tblexpenses_categories WHERE tblexpenses_categories.id = %s
