// Beside a page that nobody looks at: names an alarm when its time has come.

addEventListener("message", ({ data: [name, wait] }) => setTimeout(() => postMessage(name), wait));
