"""
What lies outside this process and is no database or cache.

    mail       mails, by SMTP or to the log
    importer   a process that brings in one upload
"""
