-- lock: $0
SELECT t.userid
FROM tblclients AS t
WHERE t.userid = ?

-- dependants: other: $0, $1, 0
SELECT 1
FROM tblconsents AS t
WHERE EXISTS (SELECT 1
FROM tblcontacts AS t_1
WHERE (EXISTS (SELECT 1
FROM tblclients AS t_1_1
WHERE t_1_1.userid = ? AND t_1_1.userid = t_1.userid)) AND t_1.id = t.contact_id AND t.contact_id != 0)
 LIMIT ? OFFSET ?

-- dependants: other: $0, $1, 0
SELECT 1
FROM tblgdpr_requests AS t
WHERE EXISTS (SELECT 1
FROM tblcontacts AS t_1
WHERE (EXISTS (SELECT 1
FROM tblclients AS t_1_1
WHERE t_1_1.userid = ? AND t_1_1.userid = t_1.userid)) AND t_1.id = t.contact_id AND t.contact_id != 0)
 LIMIT ? OFFSET ?

-- dependants: project_activity: $0, $1, 0
SELECT 1
FROM tblproject_activity AS t
WHERE EXISTS (SELECT 1
FROM tblcontacts AS t_1
WHERE (EXISTS (SELECT 1
FROM tblclients AS t_1_1
WHERE t_1_1.userid = ? AND t_1_1.userid = t_1.userid)) AND t_1.id = t.contact_id AND t.contact_id != 0)
 LIMIT ? OFFSET ?

-- dependants: project_files: $0, $1, 0
SELECT 1
FROM tblproject_files AS t
WHERE EXISTS (SELECT 1
FROM tblcontacts AS t_1
WHERE (EXISTS (SELECT 1
FROM tblclients AS t_1_1
WHERE t_1_1.userid = ? AND t_1_1.userid = t_1.userid)) AND t_1.id = t.contact_id AND t.contact_id != 0)
 LIMIT ? OFFSET ?

-- dependants: projectdiscussions: $0, $1, 0
SELECT 1
FROM tblprojectdiscussions AS t
WHERE EXISTS (SELECT 1
FROM tblcontacts AS t_1
WHERE (EXISTS (SELECT 1
FROM tblclients AS t_1_1
WHERE t_1_1.userid = ? AND t_1_1.userid = t_1.userid)) AND t_1.id = t.contact_id AND t.contact_id != 0)
 LIMIT ? OFFSET ?

-- dependants: projectdiscussioncomments: $0, $1, 0
SELECT 1
FROM tblprojectdiscussioncomments AS t
WHERE EXISTS (SELECT 1
FROM tblcontacts AS t_1
WHERE (EXISTS (SELECT 1
FROM tblclients AS t_1_1
WHERE t_1_1.userid = ? AND t_1_1.userid = t_1.userid)) AND t_1.id = t.contact_id AND t.contact_id != 0)
 LIMIT ? OFFSET ?

-- dependants: tasks: $0, 1, $0, 'customer', $1, 0
SELECT 1
FROM tbltasks AS t
WHERE (EXISTS (SELECT 1
FROM tblcontacts AS t_1
WHERE (EXISTS (SELECT 1
FROM tblclients AS t_1_1
WHERE t_1_1.userid = ? AND t_1_1.userid = t_1.userid)) AND t_1.id = t.addedfrom AND t.is_added_from_contact = ?)) AND NOT (EXISTS (SELECT 1
FROM tblclients AS t_2
WHERE t_2.userid = ? AND t_2.userid = t.rel_id AND t.rel_type = ?))
 LIMIT ? OFFSET ?

-- dependants: task_assigned: $0, 1, $0, 'customer', $1, 0
SELECT 1
FROM tbltask_assigned AS t
WHERE (EXISTS (SELECT 1
FROM tblcontacts AS t_1
WHERE (EXISTS (SELECT 1
FROM tblclients AS t_1_1
WHERE t_1_1.userid = ? AND t_1_1.userid = t_1.userid)) AND t_1.id = t.assigned_from AND t.is_assigned_from_contact = ?)) AND NOT (EXISTS (SELECT 1
FROM tbltasks AS t_2
WHERE (EXISTS (SELECT 1
FROM tblclients AS t_2_1
WHERE t_2_1.userid = ? AND t_2_1.userid = t_2.rel_id AND t_2.rel_type = ?)) AND t_2.id = t.taskid))
 LIMIT ? OFFSET ?

-- dependants: task_comments: $0, $0, 'customer', $1, 0
SELECT 1
FROM tbltask_comments AS t
WHERE (EXISTS (SELECT 1
FROM tblcontacts AS t_1
WHERE (EXISTS (SELECT 1
FROM tblclients AS t_1_1
WHERE t_1_1.userid = ? AND t_1_1.userid = t_1.userid)) AND t_1.id = t.contact_id AND t.contact_id != 0)) AND NOT (EXISTS (SELECT 1
FROM tbltasks AS t_2
WHERE (EXISTS (SELECT 1
FROM tblclients AS t_2_1
WHERE t_2_1.userid = ? AND t_2_1.userid = t_2.rel_id AND t_2.rel_type = ?)) AND t_2.id = t.taskid))
 LIMIT ? OFFSET ?

-- dependants: tickets: $0, $1, 0
SELECT 1
FROM tbltickets AS t
WHERE EXISTS (SELECT 1
FROM tblcontacts AS t_1
WHERE (EXISTS (SELECT 1
FROM tblclients AS t_1_1
WHERE t_1_1.userid = ? AND t_1_1.userid = t_1.userid)) AND t_1.id = t.contactid AND t.contactid != 0)
 LIMIT ? OFFSET ?

-- dependants: ticket_replies: $0, $1, 0
SELECT 1
FROM tblticket_replies AS t
WHERE EXISTS (SELECT 1
FROM tblcontacts AS t_1
WHERE (EXISTS (SELECT 1
FROM tblclients AS t_1_1
WHERE t_1_1.userid = ? AND t_1_1.userid = t_1.userid)) AND t_1.id = t.contactid AND t.contactid != 0)
 LIMIT ? OFFSET ?

-- dependants: files: $0, $0, 'customer', $0, 'customer', 'task', $0, 'customer', $1, 0
SELECT 1
FROM tblfiles AS t
WHERE (EXISTS (SELECT 1
FROM tblcontacts AS t_1
WHERE (EXISTS (SELECT 1
FROM tblclients AS t_1_1
WHERE t_1_1.userid = ? AND t_1_1.userid = t_1.userid)) AND t_1.id = t.contact_id AND t.contact_id != 0)) AND NOT ((EXISTS (SELECT 1
FROM tbltask_comments AS t_2
WHERE (EXISTS (SELECT 1
FROM tbltasks AS t_2_1
WHERE (EXISTS (SELECT 1
FROM tblclients AS t_2_1_1
WHERE t_2_1_1.userid = ? AND t_2_1_1.userid = t_2_1.rel_id AND t_2_1.rel_type = ?)) AND t_2_1.id = t_2.taskid)) AND t_2.id = t.task_comment_id AND t.task_comment_id != 0)) OR (EXISTS (SELECT 1
FROM tbltasks AS t_3
WHERE (EXISTS (SELECT 1
FROM tblclients AS t_3_1
WHERE t_3_1.userid = ? AND t_3_1.userid = t_3.rel_id AND t_3.rel_type = ?)) AND t_3.id = t.rel_id AND t.rel_type = ?)) OR (EXISTS (SELECT 1
FROM tblclients AS t_4
WHERE t_4.userid = ? AND t_4.userid = t.rel_id AND t.rel_type = ?)))
 LIMIT ? OFFSET ?

-- dependants: other: $0, $1, 0
SELECT 1
FROM tblnotifications AS t
WHERE EXISTS (SELECT 1
FROM tblcontacts AS t_1
WHERE (EXISTS (SELECT 1
FROM tblclients AS t_1_1
WHERE t_1_1.userid = ? AND t_1_1.userid = t_1.userid)) AND t_1.id = t.fromclientid AND t.fromclientid != 0)
 LIMIT ? OFFSET ?

-- dependants: other: $0, $1, 0
SELECT 1
FROM tblgdpr_requests AS t
WHERE EXISTS (SELECT 1
FROM tblclients AS t_1
WHERE t_1.userid = ? AND t_1.userid = t.clientid AND t.clientid != 0)
 LIMIT ? OFFSET ?

-- dependants: leads: $0, $1, 0
SELECT 1
FROM tblleads AS t
WHERE EXISTS (SELECT 1
FROM tblclients AS t_1
WHERE t_1.userid = ? AND t_1.userid = t.client_id AND t.client_id != 0)
 LIMIT ? OFFSET ?

-- dependants: invoices: $0, $1, 0
SELECT 1
FROM tblinvoices AS t
WHERE EXISTS (SELECT 1
FROM tblclients AS t_1
WHERE t_1.userid = ? AND t_1.userid = t.clientid AND t.clientid != 0)
 LIMIT ? OFFSET ?

-- dependants: estimates: $0, $1, 0
SELECT 1
FROM tblestimates AS t
WHERE EXISTS (SELECT 1
FROM tblclients AS t_1
WHERE t_1.userid = ? AND t_1.userid = t.clientid AND t.clientid != 0)
 LIMIT ? OFFSET ?

-- dependants: creditnotes: $0, $1, 0
SELECT 1
FROM tblcreditnotes AS t
WHERE EXISTS (SELECT 1
FROM tblclients AS t_1
WHERE t_1.userid = ? AND t_1.userid = t.clientid AND t.clientid != 0)
 LIMIT ? OFFSET ?

-- dependants: proposals: $0, 'customer', $1, 0
SELECT 1
FROM tblproposals AS t
WHERE EXISTS (SELECT 1
FROM tblclients AS t_1
WHERE t_1.userid = ? AND t_1.userid = t.rel_id AND t.rel_type = ?)
 LIMIT ? OFFSET ?

-- dependants: contracts: $0, $1, 0
SELECT 1
FROM tblcontracts AS t
WHERE EXISTS (SELECT 1
FROM tblclients AS t_1
WHERE t_1.userid = ? AND t_1.userid = t.client)
 LIMIT ? OFFSET ?

-- dependants: subscriptions: $0, $1, 0
SELECT 1
FROM tblsubscriptions AS t
WHERE EXISTS (SELECT 1
FROM tblclients AS t_1
WHERE t_1.userid = ? AND t_1.userid = t.clientid)
 LIMIT ? OFFSET ?

-- dependants: expenses: $0, $1, 0
SELECT 1
FROM tblexpenses AS t
WHERE EXISTS (SELECT 1
FROM tblclients AS t_1
WHERE t_1.userid = ? AND t_1.userid = t.clientid AND t.clientid != 0)
 LIMIT ? OFFSET ?

-- dependants: projects: $0, $1, 0
SELECT 1
FROM tblprojects AS t
WHERE EXISTS (SELECT 1
FROM tblclients AS t_1
WHERE t_1.userid = ? AND t_1.userid = t.clientid)
 LIMIT ? OFFSET ?

-- dependants: tasks: $0, 'customer', $0, 'customer', $1, 0
SELECT 1
FROM tbltasks AS t
WHERE (EXISTS (SELECT 1
FROM tbltasks AS t_1
WHERE (EXISTS (SELECT 1
FROM tblclients AS t_1_1
WHERE t_1_1.userid = ? AND t_1_1.userid = t_1.rel_id AND t_1.rel_type = ?)) AND t_1.id = t.is_recurring_from)) AND NOT (EXISTS (SELECT 1
FROM tblclients AS t_2
WHERE t_2.userid = ? AND t_2.userid = t.rel_id AND t.rel_type = ?))
 LIMIT ? OFFSET ?

-- dependants: task_comments: $0, 'customer', $0, 'customer', $1, 0
SELECT 1
FROM tbltask_comments AS t
WHERE (EXISTS (SELECT 1
FROM tblfiles AS t_1
WHERE (EXISTS (SELECT 1
FROM tbltask_comments AS t_1_1
WHERE (EXISTS (SELECT 1
FROM tbltasks AS t_1_1_1
WHERE (EXISTS (SELECT 1
FROM tblclients AS t_1_1_1_1
WHERE t_1_1_1_1.userid = ? AND t_1_1_1_1.userid = t_1_1_1.rel_id AND t_1_1_1.rel_type = ?)) AND t_1_1_1.id = t_1_1.taskid)) AND t_1_1.id = t_1.task_comment_id AND t_1.task_comment_id != 0)) AND t_1.id = t.file_id AND t.file_id != 0)) AND NOT (EXISTS (SELECT 1
FROM tbltasks AS t_2
WHERE (EXISTS (SELECT 1
FROM tblclients AS t_2_1
WHERE t_2_1.userid = ? AND t_2_1.userid = t_2.rel_id AND t_2.rel_type = ?)) AND t_2.id = t.taskid))
 LIMIT ? OFFSET ?

-- dependants: task_comments: $0, 'customer', 'task', $0, 'customer', $1, 0
SELECT 1
FROM tbltask_comments AS t
WHERE (EXISTS (SELECT 1
FROM tblfiles AS t_1
WHERE (EXISTS (SELECT 1
FROM tbltasks AS t_1_1
WHERE (EXISTS (SELECT 1
FROM tblclients AS t_1_1_1
WHERE t_1_1_1.userid = ? AND t_1_1_1.userid = t_1_1.rel_id AND t_1_1.rel_type = ?)) AND t_1_1.id = t_1.rel_id AND t_1.rel_type = ?)) AND t_1.id = t.file_id AND t.file_id != 0)) AND NOT (EXISTS (SELECT 1
FROM tbltasks AS t_2
WHERE (EXISTS (SELECT 1
FROM tblclients AS t_2_1
WHERE t_2_1.userid = ? AND t_2_1.userid = t_2.rel_id AND t_2.rel_type = ?)) AND t_2.id = t.taskid))
 LIMIT ? OFFSET ?

-- dependants: tickets: $0, $1, 0
SELECT 1
FROM tbltickets AS t
WHERE EXISTS (SELECT 1
FROM tblclients AS t_1
WHERE t_1.userid = ? AND t_1.userid = t.userid AND t.userid != 0)
 LIMIT ? OFFSET ?

-- dependants: ticket_replies: $0, $1, 0
SELECT 1
FROM tblticket_replies AS t
WHERE EXISTS (SELECT 1
FROM tblclients AS t_1
WHERE t_1.userid = ? AND t_1.userid = t.userid AND t.userid != 0)
 LIMIT ? OFFSET ?

-- dependants: task_comments: $0, 'customer', $0, 'customer', $1, 0
SELECT 1
FROM tbltask_comments AS t
WHERE (EXISTS (SELECT 1
FROM tblfiles AS t_1
WHERE (EXISTS (SELECT 1
FROM tblclients AS t_1_1
WHERE t_1_1.userid = ? AND t_1_1.userid = t_1.rel_id AND t_1.rel_type = ?)) AND t_1.id = t.file_id AND t.file_id != 0)) AND NOT (EXISTS (SELECT 1
FROM tbltasks AS t_2
WHERE (EXISTS (SELECT 1
FROM tblclients AS t_2_1
WHERE t_2_1.userid = ? AND t_2_1.userid = t_2.rel_id AND t_2.rel_type = ?)) AND t_2.id = t.taskid))
 LIMIT ? OFFSET ?

-- step 0: $0
DELETE FROM tbluser_meta WHERE EXISTS (SELECT 1
FROM tblclients AS tbluser_meta_1
WHERE tbluser_meta_1.userid = ? AND tbluser_meta_1.userid = tbluser_meta.client_id AND tbluser_meta.client_id != 0)

-- step 1: $0, 'customers'
DELETE FROM tblcustomfieldsvalues WHERE EXISTS (SELECT 1
FROM tblclients AS tblcustomfieldsvalues_1
WHERE tblcustomfieldsvalues_1.userid = ? AND tblcustomfieldsvalues_1.userid = tblcustomfieldsvalues.relid AND tblcustomfieldsvalues.fieldto = ?)

-- step 2: $0, 'customer'
DELETE FROM tblreminders WHERE EXISTS (SELECT 1
FROM tblclients AS tblreminders_1
WHERE tblreminders_1.userid = ? AND tblreminders_1.userid = tblreminders.rel_id AND tblreminders.rel_type = ?)

-- step 3: $0, 'customer'
DELETE FROM tblnotes WHERE EXISTS (SELECT 1
FROM tblclients AS tblnotes_1
WHERE tblnotes_1.userid = ? AND tblnotes_1.userid = tblnotes.rel_id AND tblnotes.rel_type = ?)

-- step 4: $0, 'customer'
DELETE FROM tblshared_customer_files WHERE EXISTS (SELECT 1
FROM tblfiles AS tblshared_customer_files_1
WHERE (EXISTS (SELECT 1
FROM tblclients AS tblshared_customer_files_1_1
WHERE tblshared_customer_files_1_1.userid = ? AND tblshared_customer_files_1_1.userid = tblshared_customer_files_1.rel_id AND tblshared_customer_files_1.rel_type = ?)) AND tblshared_customer_files_1.id = tblshared_customer_files.file_id)

-- step 5: $0, 'customer'
DELETE FROM tblfiles WHERE EXISTS (SELECT 1
FROM tblclients AS tblfiles_1
WHERE tblfiles_1.userid = ? AND tblfiles_1.userid = tblfiles.rel_id AND tblfiles.rel_type = ?)

-- step 6: $0, 'customer', 'tasks'
DELETE FROM tblcustomfieldsvalues WHERE EXISTS (SELECT 1
FROM tbltasks AS tblcustomfieldsvalues_1
WHERE (EXISTS (SELECT 1
FROM tblclients AS tblcustomfieldsvalues_1_1
WHERE tblcustomfieldsvalues_1_1.userid = ? AND tblcustomfieldsvalues_1_1.userid = tblcustomfieldsvalues_1.rel_id AND tblcustomfieldsvalues_1.rel_type = ?)) AND tblcustomfieldsvalues_1.id = tblcustomfieldsvalues.relid AND tblcustomfieldsvalues.fieldto = ?)

-- step 7: $0, 'customer', 'task'
DELETE FROM tbltaggables WHERE EXISTS (SELECT 1
FROM tbltasks AS tbltaggables_1
WHERE (EXISTS (SELECT 1
FROM tblclients AS tbltaggables_1_1
WHERE tbltaggables_1_1.userid = ? AND tbltaggables_1_1.userid = tbltaggables_1.rel_id AND tbltaggables_1.rel_type = ?)) AND tbltaggables_1.id = tbltaggables.rel_id AND tbltaggables.rel_type = ?)

-- step 8: $0, 'customer', 'task'
DELETE FROM tblreminders WHERE EXISTS (SELECT 1
FROM tbltasks AS tblreminders_1
WHERE (EXISTS (SELECT 1
FROM tblclients AS tblreminders_1_1
WHERE tblreminders_1_1.userid = ? AND tblreminders_1_1.userid = tblreminders_1.rel_id AND tblreminders_1.rel_type = ?)) AND tblreminders_1.id = tblreminders.rel_id AND tblreminders.rel_type = ?)

-- step 9: $0, 'customer', 'task'
DELETE FROM tblshared_customer_files WHERE EXISTS (SELECT 1
FROM tblfiles AS tblshared_customer_files_1
WHERE (EXISTS (SELECT 1
FROM tbltasks AS tblshared_customer_files_1_1
WHERE (EXISTS (SELECT 1
FROM tblclients AS tblshared_customer_files_1_1_1
WHERE tblshared_customer_files_1_1_1.userid = ? AND tblshared_customer_files_1_1_1.userid = tblshared_customer_files_1_1.rel_id AND tblshared_customer_files_1_1.rel_type = ?)) AND tblshared_customer_files_1_1.id = tblshared_customer_files_1.rel_id AND tblshared_customer_files_1.rel_type = ?)) AND tblshared_customer_files_1.id = tblshared_customer_files.file_id)

-- step 10: $0, 'customer', 'task'
DELETE FROM tblfiles WHERE EXISTS (SELECT 1
FROM tbltasks AS tblfiles_1
WHERE (EXISTS (SELECT 1
FROM tblclients AS tblfiles_1_1
WHERE tblfiles_1_1.userid = ? AND tblfiles_1_1.userid = tblfiles_1.rel_id AND tblfiles_1.rel_type = ?)) AND tblfiles_1.id = tblfiles.rel_id AND tblfiles.rel_type = ?)

-- step 11: $0, 'customer', 'timesheet'
DELETE FROM tbltaggables WHERE EXISTS (SELECT 1
FROM tbltaskstimers AS tbltaggables_1
WHERE (EXISTS (SELECT 1
FROM tbltasks AS tbltaggables_1_1
WHERE (EXISTS (SELECT 1
FROM tblclients AS tbltaggables_1_1_1
WHERE tbltaggables_1_1_1.userid = ? AND tbltaggables_1_1_1.userid = tbltaggables_1_1.rel_id AND tbltaggables_1_1.rel_type = ?)) AND tbltaggables_1_1.id = tbltaggables_1.task_id AND tbltaggables_1.task_id != 0)) AND tbltaggables_1.id = tbltaggables.rel_id AND tbltaggables.rel_type = ?)

-- step 12: $0, 'customer'
DELETE FROM tbltaskstimers WHERE EXISTS (SELECT 1
FROM tbltasks AS tbltaskstimers_1
WHERE (EXISTS (SELECT 1
FROM tblclients AS tbltaskstimers_1_1
WHERE tbltaskstimers_1_1.userid = ? AND tbltaskstimers_1_1.userid = tbltaskstimers_1.rel_id AND tbltaskstimers_1.rel_type = ?)) AND tbltaskstimers_1.id = tbltaskstimers.task_id AND tbltaskstimers.task_id != 0)

-- step 13: $0, 'customer'
DELETE FROM tbltask_checklist_items WHERE EXISTS (SELECT 1
FROM tbltasks AS tbltask_checklist_items_1
WHERE (EXISTS (SELECT 1
FROM tblclients AS tbltask_checklist_items_1_1
WHERE tbltask_checklist_items_1_1.userid = ? AND tbltask_checklist_items_1_1.userid = tbltask_checklist_items_1.rel_id AND tbltask_checklist_items_1.rel_type = ?)) AND tbltask_checklist_items_1.id = tbltask_checklist_items.taskid)

-- step 14: $0, 'customer'
DELETE FROM tblshared_customer_files WHERE EXISTS (SELECT 1
FROM tblfiles AS tblshared_customer_files_1
WHERE (EXISTS (SELECT 1
FROM tbltask_comments AS tblshared_customer_files_1_1
WHERE (EXISTS (SELECT 1
FROM tbltasks AS tblshared_customer_files_1_1_1
WHERE (EXISTS (SELECT 1
FROM tblclients AS tblshared_customer_files_1_1_1_1
WHERE tblshared_customer_files_1_1_1_1.userid = ? AND tblshared_customer_files_1_1_1_1.userid = tblshared_customer_files_1_1_1.rel_id AND tblshared_customer_files_1_1_1.rel_type = ?)) AND tblshared_customer_files_1_1_1.id = tblshared_customer_files_1_1.taskid)) AND tblshared_customer_files_1_1.id = tblshared_customer_files_1.task_comment_id AND tblshared_customer_files_1.task_comment_id != 0)) AND tblshared_customer_files_1.id = tblshared_customer_files.file_id)

-- step 15: $0, 'customer'
DELETE FROM tblfiles WHERE EXISTS (SELECT 1
FROM tbltask_comments AS tblfiles_1
WHERE (EXISTS (SELECT 1
FROM tbltasks AS tblfiles_1_1
WHERE (EXISTS (SELECT 1
FROM tblclients AS tblfiles_1_1_1
WHERE tblfiles_1_1_1.userid = ? AND tblfiles_1_1_1.userid = tblfiles_1_1.rel_id AND tblfiles_1_1.rel_type = ?)) AND tblfiles_1_1.id = tblfiles_1.taskid)) AND tblfiles_1.id = tblfiles.task_comment_id AND tblfiles.task_comment_id != 0)

-- step 16: $0, 'customer'
DELETE FROM tbltask_comments WHERE EXISTS (SELECT 1
FROM tbltasks AS tbltask_comments_1
WHERE (EXISTS (SELECT 1
FROM tblclients AS tbltask_comments_1_1
WHERE tbltask_comments_1_1.userid = ? AND tbltask_comments_1_1.userid = tbltask_comments_1.rel_id AND tbltask_comments_1.rel_type = ?)) AND tbltask_comments_1.id = tbltask_comments.taskid)

-- step 17: $0, 'customer'
DELETE FROM tbltask_followers WHERE EXISTS (SELECT 1
FROM tbltasks AS tbltask_followers_1
WHERE (EXISTS (SELECT 1
FROM tblclients AS tbltask_followers_1_1
WHERE tbltask_followers_1_1.userid = ? AND tbltask_followers_1_1.userid = tbltask_followers_1.rel_id AND tbltask_followers_1.rel_type = ?)) AND tbltask_followers_1.id = tbltask_followers.taskid)

-- step 18: $0, 'customer'
DELETE FROM tbltask_assigned WHERE EXISTS (SELECT 1
FROM tbltasks AS tbltask_assigned_1
WHERE (EXISTS (SELECT 1
FROM tblclients AS tbltask_assigned_1_1
WHERE tbltask_assigned_1_1.userid = ? AND tbltask_assigned_1_1.userid = tbltask_assigned_1.rel_id AND tbltask_assigned_1.rel_type = ?)) AND tbltask_assigned_1.id = tbltask_assigned.taskid)

-- step 19: $0, 'customer', 'task'
DELETE FROM tblrelated_items WHERE EXISTS (SELECT 1
FROM tbltasks AS tblrelated_items_1
WHERE (EXISTS (SELECT 1
FROM tblclients AS tblrelated_items_1_1
WHERE tblrelated_items_1_1.userid = ? AND tblrelated_items_1_1.userid = tblrelated_items_1.rel_id AND tblrelated_items_1.rel_type = ?)) AND tblrelated_items_1.id = tblrelated_items.rel_id AND tblrelated_items.rel_type = ?)

-- step 20: $0, 'customer'
DELETE FROM tbltasks WHERE EXISTS (SELECT 1
FROM tblclients AS tbltasks_1
WHERE tbltasks_1.userid = ? AND tbltasks_1.userid = tbltasks.rel_id AND tbltasks.rel_type = ?)

-- step 21: $0
DELETE FROM tblvault WHERE EXISTS (SELECT 1
FROM tblclients AS tblvault_1
WHERE tblvault_1.userid = ? AND tblvault_1.userid = tblvault.customer_id)

-- step 22: $0
DELETE FROM tblcustomer_groups WHERE EXISTS (SELECT 1
FROM tblclients AS tblcustomer_groups_1
WHERE tblcustomer_groups_1.userid = ? AND tblcustomer_groups_1.userid = tblcustomer_groups.customer_id)

-- step 23: $0
DELETE FROM tblcustomer_admins WHERE EXISTS (SELECT 1
FROM tblclients AS tblcustomer_admins_1
WHERE tblcustomer_admins_1.userid = ? AND tblcustomer_admins_1.userid = tblcustomer_admins.customer_id)

-- step 24: $0
DELETE FROM tbluser_meta WHERE EXISTS (SELECT 1
FROM tblcontacts AS tbluser_meta_1
WHERE (EXISTS (SELECT 1
FROM tblclients AS tbluser_meta_1_1
WHERE tbluser_meta_1_1.userid = ? AND tbluser_meta_1_1.userid = tbluser_meta_1.userid)) AND tbluser_meta_1.id = tbluser_meta.contact_id AND tbluser_meta.contact_id != 0)

-- step 25: $0, 0
DELETE FROM tbluser_auto_login WHERE EXISTS (SELECT 1
FROM tblcontacts AS tbluser_auto_login_1
WHERE (EXISTS (SELECT 1
FROM tblclients AS tbluser_auto_login_1_1
WHERE tbluser_auto_login_1_1.userid = ? AND tbluser_auto_login_1_1.userid = tbluser_auto_login_1.userid)) AND tbluser_auto_login_1.id = tbluser_auto_login.user_id AND tbluser_auto_login.staff = ?)

-- step 26: $0, 'contacts'
DELETE FROM tblcustomfieldsvalues WHERE EXISTS (SELECT 1
FROM tblcontacts AS tblcustomfieldsvalues_1
WHERE (EXISTS (SELECT 1
FROM tblclients AS tblcustomfieldsvalues_1_1
WHERE tblcustomfieldsvalues_1_1.userid = ? AND tblcustomfieldsvalues_1_1.userid = tblcustomfieldsvalues_1.userid)) AND tblcustomfieldsvalues_1.id = tblcustomfieldsvalues.relid AND tblcustomfieldsvalues.fieldto = ?)

-- step 27: $0
DELETE FROM tblshared_customer_files WHERE EXISTS (SELECT 1
FROM tblcontacts AS tblshared_customer_files_1
WHERE (EXISTS (SELECT 1
FROM tblclients AS tblshared_customer_files_1_1
WHERE tblshared_customer_files_1_1.userid = ? AND tblshared_customer_files_1_1.userid = tblshared_customer_files_1.userid)) AND tblshared_customer_files_1.id = tblshared_customer_files.contact_id)

-- step 28: $0
DELETE FROM tblcontact_permissions WHERE EXISTS (SELECT 1
FROM tblcontacts AS tblcontact_permissions_1
WHERE (EXISTS (SELECT 1
FROM tblclients AS tblcontact_permissions_1_1
WHERE tblcontact_permissions_1_1.userid = ? AND tblcontact_permissions_1_1.userid = tblcontact_permissions_1.userid)) AND tblcontact_permissions_1.id = tblcontact_permissions.userid)

-- step 29: $0, 0
DELETE FROM tbldismissed_announcements WHERE EXISTS (SELECT 1
FROM tblcontacts AS tbldismissed_announcements_1
WHERE (EXISTS (SELECT 1
FROM tblclients AS tbldismissed_announcements_1_1
WHERE tbldismissed_announcements_1_1.userid = ? AND tbldismissed_announcements_1_1.userid = tbldismissed_announcements_1.userid)) AND tbldismissed_announcements_1.id = tbldismissed_announcements.userid AND tbldismissed_announcements.staff = ?)

-- step 30: $0
DELETE FROM tblcontacts WHERE EXISTS (SELECT 1
FROM tblclients AS tblcontacts_1
WHERE tblcontacts_1.userid = ? AND tblcontacts_1.userid = tblcontacts.userid)

-- step 31: $0
DELETE FROM tblclients WHERE tblclients.userid = ?
