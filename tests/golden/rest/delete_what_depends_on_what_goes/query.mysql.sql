-- lock: $0
SELECT t.id
FROM tblprojectdiscussions AS t
WHERE t.id = %s FOR UPDATE

-- dependants: projectdiscussioncomments: $0, 'regular', $0, 'regular', $1
SELECT 1
FROM tblprojectdiscussioncomments AS t
WHERE (EXISTS (SELECT 1
FROM tblprojectdiscussioncomments AS t_1
WHERE (EXISTS (SELECT 1
FROM tblprojectdiscussions AS t_1_1
WHERE t_1_1.id = %s AND t_1_1.id = t_1.discussion_id AND t_1.discussion_type = %s)) AND t_1.id = t.parent)) AND NOT (EXISTS (SELECT 1
FROM tblprojectdiscussions AS t_2
WHERE t_2.id = %s AND t_2.id = t.discussion_id AND t.discussion_type = %s))
 LIMIT %s

-- step 0: $0, 'regular'
DELETE FROM tblprojectdiscussioncomments WHERE EXISTS (SELECT 1
FROM tblprojectdiscussions AS tblprojectdiscussioncomments_1
WHERE tblprojectdiscussioncomments_1.id = %s AND tblprojectdiscussioncomments_1.id = tblprojectdiscussioncomments.discussion_id AND tblprojectdiscussioncomments.discussion_type = %s)

-- step 1: $0
DELETE FROM tblprojectdiscussions WHERE tblprojectdiscussions.id = %s
