// Decodes lines "TOPIC HEX" with the npm package sparkplug-payload, and writes one JSON object for each; "encode JSON" gives hex.
const sparkplug = require("sparkplug-payload").get("spBv1.0");

function plain(value) {
  return typeof value === "object" && value !== null ? Number(value) : value;
}

if (process.argv[2] === "encode") {
  process.stdout.write(Buffer.from(sparkplug.encodePayload(JSON.parse(process.argv[3]))).toString("hex"));
} else {
  let text = "";
  process.stdin.on("data", (piece) => { text += piece; });
  process.stdin.on("end", () => {
    for (const line of text.split("\n").filter((one) => one.length)) {
      const [topic, hex] = line.split(" ");
      const payload = sparkplug.decodePayload(Buffer.from(hex, "hex"));
      const metrics = payload.metrics.map((one) => [one.name, one.type, plain(one.value)]);
      const seq = payload.seq === undefined || payload.seq === null ? null : Number(payload.seq);
      console.log(JSON.stringify({ topic, seq, timestamp: Number(payload.timestamp), metrics }));
    }
  });
}
