"""What is known of the Perfex CRM database, as data files beside this module."""
