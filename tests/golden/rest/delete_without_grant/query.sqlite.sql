-- lock: $0
SELECT t.id
FROM tblleads AS t
WHERE t.id = ?

-- dependants: clients: $0, $1, 0
SELECT 1
FROM tblclients AS t
WHERE EXISTS (SELECT 1
FROM tblleads AS t_1
WHERE t_1.id = ? AND t_1.id = t.leadid)
 LIMIT ? OFFSET ?

-- dependants: other: $0, $1, 0
SELECT 1
FROM tblconsents AS t
WHERE EXISTS (SELECT 1
FROM tblleads AS t_1
WHERE t_1.id = ? AND t_1.id = t.lead_id AND t.lead_id != 0)
 LIMIT ? OFFSET ?

-- dependants: other: $0, $1, 0
SELECT 1
FROM tblgdpr_requests AS t
WHERE EXISTS (SELECT 1
FROM tblleads AS t_1
WHERE t_1.id = ? AND t_1.id = t.lead_id AND t.lead_id != 0)
 LIMIT ? OFFSET ?

-- dependants: proposals: $0, 'lead', $1, 0
SELECT 1
FROM tblproposals AS t
WHERE EXISTS (SELECT 1
FROM tblleads AS t_1
WHERE t_1.id = ? AND t_1.id = t.rel_id AND t.rel_type = ?)
 LIMIT ? OFFSET ?

-- dependants: tasks: $0, 'lead', $0, 'lead', $1, 0
SELECT 1
FROM tbltasks AS t
WHERE (EXISTS (SELECT 1
FROM tbltasks AS t_1
WHERE (EXISTS (SELECT 1
FROM tblleads AS t_1_1
WHERE t_1_1.id = ? AND t_1_1.id = t_1.rel_id AND t_1.rel_type = ?)) AND t_1.id = t.is_recurring_from)) AND NOT (EXISTS (SELECT 1
FROM tblleads AS t_2
WHERE t_2.id = ? AND t_2.id = t.rel_id AND t.rel_type = ?))
 LIMIT ? OFFSET ?

-- dependants: task_comments: $0, 'lead', $0, 'lead', $1, 0
SELECT 1
FROM tbltask_comments AS t
WHERE (EXISTS (SELECT 1
FROM tblfiles AS t_1
WHERE (EXISTS (SELECT 1
FROM tbltask_comments AS t_1_1
WHERE (EXISTS (SELECT 1
FROM tbltasks AS t_1_1_1
WHERE (EXISTS (SELECT 1
FROM tblleads AS t_1_1_1_1
WHERE t_1_1_1_1.id = ? AND t_1_1_1_1.id = t_1_1_1.rel_id AND t_1_1_1.rel_type = ?)) AND t_1_1_1.id = t_1_1.taskid)) AND t_1_1.id = t_1.task_comment_id AND t_1.task_comment_id != 0)) AND t_1.id = t.file_id AND t.file_id != 0)) AND NOT (EXISTS (SELECT 1
FROM tbltasks AS t_2
WHERE (EXISTS (SELECT 1
FROM tblleads AS t_2_1
WHERE t_2_1.id = ? AND t_2_1.id = t_2.rel_id AND t_2.rel_type = ?)) AND t_2.id = t.taskid))
 LIMIT ? OFFSET ?

-- dependants: task_comments: $0, 'lead', 'task', $0, 'lead', $1, 0
SELECT 1
FROM tbltask_comments AS t
WHERE (EXISTS (SELECT 1
FROM tblfiles AS t_1
WHERE (EXISTS (SELECT 1
FROM tbltasks AS t_1_1
WHERE (EXISTS (SELECT 1
FROM tblleads AS t_1_1_1
WHERE t_1_1_1.id = ? AND t_1_1_1.id = t_1_1.rel_id AND t_1_1.rel_type = ?)) AND t_1_1.id = t_1.rel_id AND t_1.rel_type = ?)) AND t_1.id = t.file_id AND t.file_id != 0)) AND NOT (EXISTS (SELECT 1
FROM tbltasks AS t_2
WHERE (EXISTS (SELECT 1
FROM tblleads AS t_2_1
WHERE t_2_1.id = ? AND t_2_1.id = t_2.rel_id AND t_2.rel_type = ?)) AND t_2.id = t.taskid))
 LIMIT ? OFFSET ?

-- dependants: task_comments: $0, 'lead', $0, 'lead', $1, 0
SELECT 1
FROM tbltask_comments AS t
WHERE (EXISTS (SELECT 1
FROM tblfiles AS t_1
WHERE (EXISTS (SELECT 1
FROM tblleads AS t_1_1
WHERE t_1_1.id = ? AND t_1_1.id = t_1.rel_id AND t_1.rel_type = ?)) AND t_1.id = t.file_id AND t.file_id != 0)) AND NOT (EXISTS (SELECT 1
FROM tbltasks AS t_2
WHERE (EXISTS (SELECT 1
FROM tblleads AS t_2_1
WHERE t_2_1.id = ? AND t_2_1.id = t_2.rel_id AND t_2.rel_type = ?)) AND t_2.id = t.taskid))
 LIMIT ? OFFSET ?

-- step 0: $0, 'leads'
DELETE FROM tblcustomfieldsvalues WHERE EXISTS (SELECT 1
FROM tblleads AS tblcustomfieldsvalues_1
WHERE tblcustomfieldsvalues_1.id = ? AND tblcustomfieldsvalues_1.id = tblcustomfieldsvalues.relid AND tblcustomfieldsvalues.fieldto = ?)

-- step 1: $0, 'lead'
DELETE FROM tbltaggables WHERE EXISTS (SELECT 1
FROM tblleads AS tbltaggables_1
WHERE tbltaggables_1.id = ? AND tbltaggables_1.id = tbltaggables.rel_id AND tbltaggables.rel_type = ?)

-- step 2: $0, 'lead'
DELETE FROM tblreminders WHERE EXISTS (SELECT 1
FROM tblleads AS tblreminders_1
WHERE tblreminders_1.id = ? AND tblreminders_1.id = tblreminders.rel_id AND tblreminders.rel_type = ?)

-- step 3: $0, 'lead'
DELETE FROM tblnotes WHERE EXISTS (SELECT 1
FROM tblleads AS tblnotes_1
WHERE tblnotes_1.id = ? AND tblnotes_1.id = tblnotes.rel_id AND tblnotes.rel_type = ?)

-- step 4: $0, 'lead'
DELETE FROM tblshared_customer_files WHERE EXISTS (SELECT 1
FROM tblfiles AS tblshared_customer_files_1
WHERE (EXISTS (SELECT 1
FROM tblleads AS tblshared_customer_files_1_1
WHERE tblshared_customer_files_1_1.id = ? AND tblshared_customer_files_1_1.id = tblshared_customer_files_1.rel_id AND tblshared_customer_files_1.rel_type = ?)) AND tblshared_customer_files_1.id = tblshared_customer_files.file_id)

-- step 5: $0, 'lead'
DELETE FROM tblfiles WHERE EXISTS (SELECT 1
FROM tblleads AS tblfiles_1
WHERE tblfiles_1.id = ? AND tblfiles_1.id = tblfiles.rel_id AND tblfiles.rel_type = ?)

-- step 6: $0, 'lead', 'tasks'
DELETE FROM tblcustomfieldsvalues WHERE EXISTS (SELECT 1
FROM tbltasks AS tblcustomfieldsvalues_1
WHERE (EXISTS (SELECT 1
FROM tblleads AS tblcustomfieldsvalues_1_1
WHERE tblcustomfieldsvalues_1_1.id = ? AND tblcustomfieldsvalues_1_1.id = tblcustomfieldsvalues_1.rel_id AND tblcustomfieldsvalues_1.rel_type = ?)) AND tblcustomfieldsvalues_1.id = tblcustomfieldsvalues.relid AND tblcustomfieldsvalues.fieldto = ?)

-- step 7: $0, 'lead', 'task'
DELETE FROM tbltaggables WHERE EXISTS (SELECT 1
FROM tbltasks AS tbltaggables_1
WHERE (EXISTS (SELECT 1
FROM tblleads AS tbltaggables_1_1
WHERE tbltaggables_1_1.id = ? AND tbltaggables_1_1.id = tbltaggables_1.rel_id AND tbltaggables_1.rel_type = ?)) AND tbltaggables_1.id = tbltaggables.rel_id AND tbltaggables.rel_type = ?)

-- step 8: $0, 'lead', 'task'
DELETE FROM tblreminders WHERE EXISTS (SELECT 1
FROM tbltasks AS tblreminders_1
WHERE (EXISTS (SELECT 1
FROM tblleads AS tblreminders_1_1
WHERE tblreminders_1_1.id = ? AND tblreminders_1_1.id = tblreminders_1.rel_id AND tblreminders_1.rel_type = ?)) AND tblreminders_1.id = tblreminders.rel_id AND tblreminders.rel_type = ?)

-- step 9: $0, 'lead', 'task'
DELETE FROM tblshared_customer_files WHERE EXISTS (SELECT 1
FROM tblfiles AS tblshared_customer_files_1
WHERE (EXISTS (SELECT 1
FROM tbltasks AS tblshared_customer_files_1_1
WHERE (EXISTS (SELECT 1
FROM tblleads AS tblshared_customer_files_1_1_1
WHERE tblshared_customer_files_1_1_1.id = ? AND tblshared_customer_files_1_1_1.id = tblshared_customer_files_1_1.rel_id AND tblshared_customer_files_1_1.rel_type = ?)) AND tblshared_customer_files_1_1.id = tblshared_customer_files_1.rel_id AND tblshared_customer_files_1.rel_type = ?)) AND tblshared_customer_files_1.id = tblshared_customer_files.file_id)

-- step 10: $0, 'lead', 'task'
DELETE FROM tblfiles WHERE EXISTS (SELECT 1
FROM tbltasks AS tblfiles_1
WHERE (EXISTS (SELECT 1
FROM tblleads AS tblfiles_1_1
WHERE tblfiles_1_1.id = ? AND tblfiles_1_1.id = tblfiles_1.rel_id AND tblfiles_1.rel_type = ?)) AND tblfiles_1.id = tblfiles.rel_id AND tblfiles.rel_type = ?)

-- step 11: $0, 'lead', 'timesheet'
DELETE FROM tbltaggables WHERE EXISTS (SELECT 1
FROM tbltaskstimers AS tbltaggables_1
WHERE (EXISTS (SELECT 1
FROM tbltasks AS tbltaggables_1_1
WHERE (EXISTS (SELECT 1
FROM tblleads AS tbltaggables_1_1_1
WHERE tbltaggables_1_1_1.id = ? AND tbltaggables_1_1_1.id = tbltaggables_1_1.rel_id AND tbltaggables_1_1.rel_type = ?)) AND tbltaggables_1_1.id = tbltaggables_1.task_id AND tbltaggables_1.task_id != 0)) AND tbltaggables_1.id = tbltaggables.rel_id AND tbltaggables.rel_type = ?)

-- step 12: $0, 'lead'
DELETE FROM tbltaskstimers WHERE EXISTS (SELECT 1
FROM tbltasks AS tbltaskstimers_1
WHERE (EXISTS (SELECT 1
FROM tblleads AS tbltaskstimers_1_1
WHERE tbltaskstimers_1_1.id = ? AND tbltaskstimers_1_1.id = tbltaskstimers_1.rel_id AND tbltaskstimers_1.rel_type = ?)) AND tbltaskstimers_1.id = tbltaskstimers.task_id AND tbltaskstimers.task_id != 0)

-- step 13: $0, 'lead'
DELETE FROM tbltask_checklist_items WHERE EXISTS (SELECT 1
FROM tbltasks AS tbltask_checklist_items_1
WHERE (EXISTS (SELECT 1
FROM tblleads AS tbltask_checklist_items_1_1
WHERE tbltask_checklist_items_1_1.id = ? AND tbltask_checklist_items_1_1.id = tbltask_checklist_items_1.rel_id AND tbltask_checklist_items_1.rel_type = ?)) AND tbltask_checklist_items_1.id = tbltask_checklist_items.taskid)

-- step 14: $0, 'lead'
DELETE FROM tblshared_customer_files WHERE EXISTS (SELECT 1
FROM tblfiles AS tblshared_customer_files_1
WHERE (EXISTS (SELECT 1
FROM tbltask_comments AS tblshared_customer_files_1_1
WHERE (EXISTS (SELECT 1
FROM tbltasks AS tblshared_customer_files_1_1_1
WHERE (EXISTS (SELECT 1
FROM tblleads AS tblshared_customer_files_1_1_1_1
WHERE tblshared_customer_files_1_1_1_1.id = ? AND tblshared_customer_files_1_1_1_1.id = tblshared_customer_files_1_1_1.rel_id AND tblshared_customer_files_1_1_1.rel_type = ?)) AND tblshared_customer_files_1_1_1.id = tblshared_customer_files_1_1.taskid)) AND tblshared_customer_files_1_1.id = tblshared_customer_files_1.task_comment_id AND tblshared_customer_files_1.task_comment_id != 0)) AND tblshared_customer_files_1.id = tblshared_customer_files.file_id)

-- step 15: $0, 'lead'
DELETE FROM tblfiles WHERE EXISTS (SELECT 1
FROM tbltask_comments AS tblfiles_1
WHERE (EXISTS (SELECT 1
FROM tbltasks AS tblfiles_1_1
WHERE (EXISTS (SELECT 1
FROM tblleads AS tblfiles_1_1_1
WHERE tblfiles_1_1_1.id = ? AND tblfiles_1_1_1.id = tblfiles_1_1.rel_id AND tblfiles_1_1.rel_type = ?)) AND tblfiles_1_1.id = tblfiles_1.taskid)) AND tblfiles_1.id = tblfiles.task_comment_id AND tblfiles.task_comment_id != 0)

-- step 16: $0, 'lead'
DELETE FROM tbltask_comments WHERE EXISTS (SELECT 1
FROM tbltasks AS tbltask_comments_1
WHERE (EXISTS (SELECT 1
FROM tblleads AS tbltask_comments_1_1
WHERE tbltask_comments_1_1.id = ? AND tbltask_comments_1_1.id = tbltask_comments_1.rel_id AND tbltask_comments_1.rel_type = ?)) AND tbltask_comments_1.id = tbltask_comments.taskid)

-- step 17: $0, 'lead'
DELETE FROM tbltask_followers WHERE EXISTS (SELECT 1
FROM tbltasks AS tbltask_followers_1
WHERE (EXISTS (SELECT 1
FROM tblleads AS tbltask_followers_1_1
WHERE tbltask_followers_1_1.id = ? AND tbltask_followers_1_1.id = tbltask_followers_1.rel_id AND tbltask_followers_1.rel_type = ?)) AND tbltask_followers_1.id = tbltask_followers.taskid)

-- step 18: $0, 'lead'
DELETE FROM tbltask_assigned WHERE EXISTS (SELECT 1
FROM tbltasks AS tbltask_assigned_1
WHERE (EXISTS (SELECT 1
FROM tblleads AS tbltask_assigned_1_1
WHERE tbltask_assigned_1_1.id = ? AND tbltask_assigned_1_1.id = tbltask_assigned_1.rel_id AND tbltask_assigned_1.rel_type = ?)) AND tbltask_assigned_1.id = tbltask_assigned.taskid)

-- step 19: $0, 'lead', 'task'
DELETE FROM tblrelated_items WHERE EXISTS (SELECT 1
FROM tbltasks AS tblrelated_items_1
WHERE (EXISTS (SELECT 1
FROM tblleads AS tblrelated_items_1_1
WHERE tblrelated_items_1_1.id = ? AND tblrelated_items_1_1.id = tblrelated_items_1.rel_id AND tblrelated_items_1.rel_type = ?)) AND tblrelated_items_1.id = tblrelated_items.rel_id AND tblrelated_items.rel_type = ?)

-- step 20: $0, 'lead'
DELETE FROM tbltasks WHERE EXISTS (SELECT 1
FROM tblleads AS tbltasks_1
WHERE tbltasks_1.id = ? AND tbltasks_1.id = tbltasks.rel_id AND tbltasks.rel_type = ?)

-- step 21: $0
DELETE FROM tbllead_integration_emails WHERE EXISTS (SELECT 1
FROM tblleads AS tbllead_integration_emails_1
WHERE tbllead_integration_emails_1.id = ? AND tbllead_integration_emails_1.id = tbllead_integration_emails.leadid)

-- step 22: $0
DELETE FROM tbllead_activity_log WHERE EXISTS (SELECT 1
FROM tblleads AS tbllead_activity_log_1
WHERE tbllead_activity_log_1.id = ? AND tbllead_activity_log_1.id = tbllead_activity_log.leadid)

-- step 23: $0
DELETE FROM tblleads WHERE tblleads.id = ?
