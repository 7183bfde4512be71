// Evaluates JSONata with the reference implementation: [[expression, variables], …] on stdin, the results on stdout.
// A result is [value], [] where the expression has none, or the text of an error.
const jsonata = require(process.argv[2]);

async function one([expression, variables]) {
    try {
        const value = await jsonata(expression).evaluate(undefined, variables);
        return value === undefined ? [] : [value];
    } catch (error) {
        return String(error.message);
    }
}

let text = "";
process.stdin.on("data", (part) => { text += part; });
process.stdin.on("end", async () => {
    const found = [];
    for (const item of JSON.parse(text)) found.push(await one(item));
    process.stdout.write(JSON.stringify(found));
});
