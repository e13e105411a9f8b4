// splice_cut.c: pages of a file that is cut while a pipe refers to them.
//
// Calls: splice ftruncate truncate
// Passes: host acrida
// Places: disk tmpfs
#include "check.h"

static char buffer[16384];

// A page that is cut off the file keeps its bytes; one in which the file now ends shows what the file has.
CHECK(pages_cut_off_the_file)
{
	int p[2];
	need(pipe(p));
	int in = need(open("in", O_CREAT | O_RDWR | O_TRUNC, 0644));
	for (int page = 0; page < 4; page++) {
		memset(buffer, 'a' + page, 4096);
		write(in, buffer, 4096);
	}
	loff_t at = 0;
	show(splice(in, &at, p[1], NULL, 16384, 0));
	show(ftruncate(in, 9000));
	show(truncate("in", 5000));
	show(pwrite(in, "again", 5, 12288));
	show(read(p[0], buffer, 16384));
	show_bytes("read", buffer, 16384);
	close(in);
	show(splice(need(open("in", O_RDWR)), NULL, p[1], NULL, 4096, 0));
	need(open("in", O_RDWR | O_TRUNC));
	show(read(p[0], buffer, 4096));
	show_bytes("emptied by an open", buffer, 4096);
	in = need(open("closed", O_CREAT | O_RDWR | O_TRUNC, 0644));
	memset(buffer, 'c', 8192);
	write(in, buffer, 8192);
	at = 0;
	show(splice(in, &at, p[1], NULL, 8192, 0));
	close(in);
	show(truncate("closed", 0));
	show(read(p[0], buffer, 8192));
	show_bytes("closed and emptied", buffer, 8192);
}
