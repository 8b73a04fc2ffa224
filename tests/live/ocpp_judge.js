// Drives npm's ocpp-rpc in strict mode as a CSMS or as a charge point, by lines of JSON on standard input and output.
// node ocpp_judge.js MODULE ROLE OPTIONS
const fs = require('fs');
const readline = require('readline');
const { RPCServer, RPCClient, createRPCError } = require(process.argv[2]);
const role = process.argv[3];
const options = JSON.parse(process.argv[4]);
const say = (content) => process.stdout.write(JSON.stringify(content) + '\n');
const read = (file) => (file ? fs.readFileSync(file) : undefined);
let transactions = 0;

function answer(protocol, method) {
    const tag = protocol === 'ocpp1.6' ? { idTagInfo: { status: 'Accepted' } } : { idTokenInfo: { status: 'Accepted' } };
    const now = new Date().toISOString();
    switch (method) {
        case 'BootNotification': return { status: 'Accepted', interval: 300, currentTime: now };
        case 'Heartbeat': return { currentTime: now };
        case 'Authorize': return tag;
        case 'StartTransaction': return { transactionId: ++transactions, ...tag };
        case 'ChangeConfiguration': case 'SetChargingProfile': case 'ClearChargingProfile': case 'TriggerMessage':
            return { status: 'Accepted' };
        case 'SetVariables': return undefined;
        case 'MeterValues': case 'NotifyReport': case 'ReportChargingProfiles': case 'StatusNotification':
        case 'StopTransaction': case 'TransactionEvent': return {};
        default: throw createRPCError('NotImplemented');
    }
}

function listen(client) {
    client.on('strictValidationFailure', (event) => say({ violation: String(event.error), identity: client.identity }));
    client.on('badMessage', (event) => say({ violation: String(event.error || event), identity: client.identity }));
    client.handle(({ method, params }) => {
        say({ call: method, payload: params, identity: client.identity });
        if (method === 'SetVariables') {
            return {
                setVariableResult: params.setVariableData.map(({ component, variable }) => (
                    { component, variable, attributeStatus: 'Accepted' })),
            };
        }
        return answer(client.protocol, method);
    });
}

async function serve() {
    const server = new RPCServer({ protocols: ['ocpp1.6', 'ocpp2.0.1'], strictMode: true });
    const clients = new Map();
    server.auth((accept, reject, handshake) => {
        const password = handshake.password && handshake.password.toString();
        if (options.password && password !== options.password) {
            say({ refused: handshake.identity });
            return reject(401);
        }
        const certificate = options.authority && handshake.request.socket.getPeerCertificate();
        if (certificate && certificate.subject.CN !== handshake.identity) return reject(403);
        return accept({});
    });
    server.on('client', (client) => {
        clients.set(client.identity, client);
        say({ connected: client.identity, protocol: client.protocol });
        listen(client);
    });
    const make = options.certificate ? require('https').createServer : require('http').createServer;
    const http = make({
        cert: read(options.certificate), key: read(options.key), ca: read(options.authority),
        requestCert: Boolean(options.authority), rejectUnauthorized: Boolean(options.authority),
    });
    http.on('upgrade', server.handleUpgrade);
    http.listen(0, '127.0.0.1', () => say({ port: http.address().port }));
    return (identity) => clients.get(identity);
}

async function connect() {
    const client = new RPCClient({
        endpoint: options.endpoint, identity: options.identity, protocols: [options.protocol], strictMode: true,
        password: options.password, reconnect: false,
        wsOpts: { ca: read(options.authority), cert: read(options.certificate), key: read(options.key) },
    });
    listen(client);
    client.on('close', () => say({ closed: true }));
    try {
        await client.connect();
        say({ connected: options.identity, protocol: client.protocol });
    } catch (error) {
        say({ refused: String(error.code || error.message) });
    }
    return () => client;
}

(async () => {
    const clientOf = await (role === 'csms' ? serve() : connect());
    readline.createInterface({ input: process.stdin }).on('line', async (line) => {
        const { id, identity, action, payload } = JSON.parse(line);
        try {
            const client = clientOf(identity);
            if (action === 'close') { await client.close(); say({ id, result: {} }); return; }
            say({ id, result: await client.call(action, payload) });
        } catch (error) {
            say({ id, error: error.rpcErrorCode || error.message });
        }
    }).on('close', () => process.exit());
})();
