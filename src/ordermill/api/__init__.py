"""
The HTTP door: FastAPI lives here.

    app        the application: its parts in order, its life
    deps       what routes ask for: services, and who is asking
    problems   refusals become application/problem+json, in this one place
    routes/    one module per noun; schemas/ what they take and answer

Not here: any rule of the business. Routes call the same services as the other doors.
"""
