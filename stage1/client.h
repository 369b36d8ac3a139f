/* The client's side of the control socket. */
#ifndef RKT_CLIENT_H
#define RKT_CLIENT_H

#include "fail.h"

/* Connects to the control socket of the pod whose directory is open as `pod`; -1 with the failure. */
int client_connect(int pod, struct fail *f);
/* One line on standard error; returns 254. */
int client_failed(const char *speaker, const struct fail *f);

/* `launcher app-start PLAN POD`, `app-stop PLAN POD FORCE`, `app-remove PLAN POD`: asks, and waits until it is done. Returns the exit status. */
int client_app_start(int plan_fd, int pod);
int client_app_stop(int plan_fd, int pod, int force);
int client_app_remove(int plan_fd, int pod);

/* `launcher attach PLAN POD CALLER`: copies between streams of an app and 0, 1, 2 until one side ends. Returns the exit status. */
int attach_run(int plan_fd, int pod, int caller_fd);

#endif
