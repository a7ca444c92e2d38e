/* SPDX-License-Identifier: GPL-2.0 */
/* The subcommands of a653ctl: each gets its own argv, argv[0] is its name */
#ifndef _A653CTL_H
#define _A653CTL_H

/* Exit codes */
#define EXIT_DONE	0
#define EXIT_REFUSED	1
#define EXIT_USAGE	2

int cmd_check(int argc, char **argv);
int cmd_load(int argc, char **argv);
int cmd_rtds(int argc, char **argv);
int cmd_run(int argc, char **argv);
int cmd_show(int argc, char **argv);
int cmd_status(int argc, char **argv);
int cmd_switch(int argc, char **argv);
int cmd_unload(int argc, char **argv);

#endif /* _A653CTL_H */
