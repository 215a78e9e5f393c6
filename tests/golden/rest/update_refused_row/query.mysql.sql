-- lock: $0
SELECT t.id, t.name, t.title, t.company, t.description, t.country, t.zip, t.city, t.state, t.address, t.assigned, t.dateadded, t.from_form_id, t.status, t.source, t.lastcontact, t.dateassigned, t.last_status_change, t.addedfrom, t.email, t.website, t.leadorder, t.phonenumber, t.date_converted, t.lost, t.junk, t.last_lead_status, t.is_imported_from_email_integration, t.is_public, t.default_language, t.client_id, t.lead_value
FROM tblleads AS t
WHERE t.id = %s FOR UPDATE

-- step 0: $1, $0
UPDATE tblleads SET company=%s WHERE tblleads.id = %s

-- read back: $0
SELECT t.id, t.name, t.title, t.company, t.description, t.country, t.zip, t.city, t.state, t.address, t.assigned, t.dateadded, t.from_form_id, t.status, t.source, t.lastcontact, t.dateassigned, t.last_status_change, t.addedfrom, t.email, t.website, t.leadorder, t.phonenumber, t.date_converted, t.lost, t.junk, t.last_lead_status, t.is_imported_from_email_integration, t.is_public, t.default_language, t.client_id, t.lead_value
FROM tblleads AS t
WHERE t.id = %s
