// int80.c: getpid() by the 32-bit table; ends with the errno that it gives.
int main(void)
{
    int result;
    __asm__ volatile("int $0x80" : "=a"(result) : "a"(20));
    return -result;
}
