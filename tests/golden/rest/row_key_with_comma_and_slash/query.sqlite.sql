-- rows: $0, $1, $2
SELECT t.rel_id, t.rel_type, t.tag_id, t.tag_order
FROM tbltaggables AS t
WHERE (t.rel_type COLLATE gateway_ci) = ? AND t.rel_id = ? AND t.tag_id = ?
